"""What live tracking costs: the same grid at net1's pace with the observer and without."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from unittest import mock

from benchmarks import subjects
from benchmarks.measuring import Row, clocked, cores, duration, interleaved
from convscope import data, grid, tracking
from convscope.runs import Run

TITLE = "Live tracking in MLflow"
GOAL_PERCENT = 2.0


def rows(quick: bool) -> Iterator[Row]:
    """Two runs a processor; the store is there before, as it is for all but the first stage."""
    images = subjects.part(*((64, 32) if quick else (50_000, 10_000)))
    epochs, n = (1, 1) if quick else (4, 2)
    seeds = range(2 * cores(quick))
    runs = [subjects.run("net1", epochs, {"seed": seed}) for seed in seeds]
    here = mock.patch.dict(os.environ, MLFLOW_TRACKING_URI="")
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name), here:
        dataset = Path("dataset.safetensors")
        data.save(images, dataset)
        tracked, untracked = interleaved(
            n,
            clocked(lambda: _train(runs, dataset, tracked=True)),
            clocked(lambda: _train(runs, dataset, tracked=False)),
            warm_up=False,
        )
    percent = 100 * (median(tracked) / median(untracked) - 1)
    yield Row(
        f"{len(runs)} runs of net1, {epochs} epochs of {len(images.train_labels):,} images: "
        "tracked, beside untracked",
        duration(median(tracked)),
        duration(median(untracked)),
        f"{percent:+.1f} % (mlflow's import included)",
        f"below {GOAL_PERCENT:g} %",
        percent < GOAL_PERCENT,
        n,
    )


def _train(runs: list[Run], dataset: Path, tracked: bool) -> None:
    """Train the runs in a store of their own, so that none is reused."""
    with tempfile.TemporaryDirectory(dir=".") as store, contextlib.ExitStack() as stack:
        observers: list[grid.Observer] = []
        if tracked:
            identity = tracking.grid_fingerprint([store])
            observers.append(stack.enter_context(tracking.live(Path(), "train@net1", {}, identity)))
        stack.enter_context(_stored_in(Path(store)))
        grid.complete(runs, dataset, observers)


@contextlib.contextmanager
def _stored_in(folder: Path) -> Iterator[None]:
    """Keep runs there meanwhile."""
    before = grid.STORE
    grid.STORE = folder
    try:
        yield
    finally:
        grid.STORE = before
