"""The whole quick study from nothing, as `make repro` runs it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import projects

from benchmarks.measuring import Row, below, clocked
from convscope.base import names

TITLE = "The quick study on the digits, from nothing"
GOAL_SECONDS = 240.0


def rows(quick: bool) -> Iterator[Row]:
    """`dvc repro` in a copy of the project without dvc.lock; shrunk when it must be quick."""
    with tempfile.TemporaryDirectory() as folder:
        project = projects.copied(Path(folder))
        (project.folder / "dvc.lock").unlink(missing_ok=True)
        if quick:
            project.write_params(projects.shrunk())
        workers = {names.WORKERS: str(os.cpu_count() or 1)}
        seconds = clocked(lambda: project.repro(**workers))()
    yield below("dvc repro from nothing", [seconds], GOAL_SECONDS)
