"""The whole quick study from nothing, and after a change, as `make repro` runs it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import projects

from benchmarks.measuring import Row, below, clocked
from convscope.base import names, timings

TITLE = "The quick study on the digits, from nothing and after a change"
GOAL_SECONDS = 150.0
SEED_SECONDS = 25.0
POINT_SECONDS = 40.0


def rows(quick: bool) -> Iterator[Row]:
    """`dvc repro` in a copy of the project without dvc.lock; shrunk when it must be quick."""
    with tempfile.TemporaryDirectory() as folder:
        project = projects.copied(Path(folder))
        (project.folder / "dvc.lock").unlink(missing_ok=True)
        params = projects.shrunk() if quick else projects.PARAMS
        workers = {names.WORKERS: str(os.cpu_count() or 1)}

        def repro(changed: dict[str, Any]) -> float:
            project.write_params(changed)
            return clocked(lambda: project.repro(**workers))()

        yield below("dvc repro from nothing", [repro(params)], GOAL_SECONDS)
        params = {**params, "occlusion": {**params["occlusion"], "seed": 1}}
        yield below("dvc repro after a change of occlusion.seed", [repro(params)], SEED_SECONDS)
        net3 = {**params["nets"]["net3"], "dropout_rate": [0.1, 0.3, 0.5]}
        params = {**params, "nets": {**params["nets"], "net3": net3}}
        stages = _train_seconds(project)
        seconds = repro(params)
        trained = _train_seconds(project) - stages
        yield below("the same after a third dropout rate of net3", [seconds])
        yield below("that without training", [seconds - trained], POINT_SECONDS)


def _train_seconds(project: projects.Project) -> float:
    """How long net3 has been trained so far: its stage's seconds, tables and figures included."""
    log = timings.read(project.folder / timings.TIMINGS)
    return float(log[(log["stage"] == "train@net3") & (log["run"] == "")]["seconds"].sum())
