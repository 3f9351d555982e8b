"""The pipeline's own costs: starting stages, finding nothing to do, the memory of each stage."""

import functools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests import projects
from tests.projects import Project

from benchmarks import subjects
from benchmarks.measuring import Row, below, clocked, duration, interleaved, memory
from convscope import cli
from convscope.base import timings

TITLE = "The pipeline: each stage, with one epoch of one run of each grid"
NOTHING_SECONDS = 1.5
START_SECONDS = 4.0
# a stage may take 3 seconds besides its work where `import torch` takes 2.5
WEIGHT = 1.2
NETS = ("net1", "net2", "net3", "net4")

# what `convscope STAGE` imports before the stage's first line
_IMPORTS = "import convscope.cli; from convscope.base import timings; "


def rows(quick: bool) -> Iterator[Row]:
    """A copy of the project on all images, its grids cut to one short run each."""
    with tempfile.TemporaryDirectory() as folder:
        project = projects.copied(Path(folder))
        project.write_params(projects.shrunk() if quick else _short(projects.PARAMS))
        stages = ["download"] if quick else _stages()
        targets = stages if quick else []
        yield from _starts(project, ["report"] if quick else list(cli.STAGES), 1 if quick else 5)
        for stage in stages:
            yield _stage(project, stage, *((1, projects.NO_SERVER) if quick else (3, "")))
        _done(project, "dvc", "commit", "--force", "--quiet", *targets)
        nothing = clocked(lambda: _done(project, "dvc", "repro", *targets))
        (times,) = interleaved(1 if quick else 5, nothing)
        yield below("dvc repro with nothing to do", times, NOTHING_SECONDS)


def _stages() -> list[str]:
    """The commands of all stages, in an order that dvc.yaml allows."""
    trains = [f"train {net}" for net in NETS]
    return [
        command for stage in cli.STAGES for command in (trains if stage == "train" else [stage])
    ]


def _short(params: dict[str, Any]) -> dict[str, Any]:
    """The quick study with one epoch of each grid's first point; on CIFAR-10 if it is here."""
    archive = subjects.archive()
    if archive is not None:
        mirror = {"url": archive.url, "md5": archive.md5}
        params = {**params, "data": {**params["data"], "source": "cifar10", "archives": [mirror]}}
    axes = ("lr", "batch_size", "l1_oc", "kernel_size", "stride", "dropout_rate")

    def short(grid: dict[str, Any]) -> dict[str, Any]:
        return {**grid, "epochs": 1, **{axis: grid[axis][:1] for axis in axes}}

    nets = {net: short(grid) for net, grid in params["nets"].items()}
    return {**params, "nets": nets}


def _starts(project: Project, stages: list[str], n: int) -> Iterator[Row]:
    """How long each stage's imports take in a new process."""
    for stage in stages:
        module = "train" if stage == "baseline" else stage.replace("-", "_")
        code = f"{_IMPORTS}import convscope.stages.{module}"
        start = functools.partial(_done, project, sys.executable, "-c", code)
        (times,) = interleaved(n, clocked(start))
        yield below(f"start of {stage}: its imports", times, START_SECONDS)


def _stage(project: Project, command: str, n: int, server: str) -> Row:
    """What a stage's process takes besides its work, compared with the import of torch."""
    measured = [sys.executable, "-m", "benchmarks.peak", sys.executable, "-m", "convscope.cli"]
    peaks = []

    def weight() -> float:
        found = json.loads(_done(project, *measured, *command.split(), server=server))
        peaks.append(found["peak"])
        log = timings.read(project.folder / timings.TIMINGS)
        return float(found["seconds"] - log[log["run"] == ""]["seconds"].iloc[-1])

    def torch() -> float:
        return clocked(lambda: _done(project, sys.executable, "-c", "import torch"))()

    weights, imports = interleaved(n, weight, torch)
    ratio = median(weights) / median(imports)
    return Row(
        f"{command}: its time without its work, compared with `import torch`",
        duration(median(weights)),
        duration(median(imports)),
        f"{ratio:.2f} times as long; largest process {memory(max(peaks))}",
        f"{WEIGHT:g} times",
        ratio <= WEIGHT,
        n,
    )


def _done(project: Project, *command: str, server: str = "") -> str:
    """Run a command that must succeed; what it printed. It tracks there, or in the project."""
    done = project.run(*command, MLFLOW_TRACKING_URI=server)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
