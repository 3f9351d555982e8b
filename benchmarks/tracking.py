"""What live tracking costs: the same grid at net1's pace with the observer and without."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest import mock

from benchmarks import subjects
from benchmarks.measuring import Row, cores, duration
from convscope.data import datasets
from convscope.tracking.records import grid_fingerprint
from convscope.tracking.tracker import Tracker
from convscope.training import grid
from convscope.training.run import Run

TITLE = "Live tracking in MLflow"
GOAL_PERCENT = 2.0


@dataclass(frozen=True)
class _Spent:
    """What a grid took: seconds on the clock, and processor seconds here and where it tracks."""

    clock: float
    processor: float


def rows(quick: bool) -> Iterator[Row]:
    """Two runs a processor; the first tracked grid makes the store, as the first stage does."""
    images = subjects.part(*((64, 32) if quick else (50_000, 10_000)))
    epochs, n = (1, 1) if quick else (4, 2)
    seeds = range(2 * cores(quick))
    data = images.fingerprint
    runs = [subjects.run("net1", epochs, {"seed": seed}, data=data) for seed in seeds]
    here = mock.patch.dict(os.environ, MLFLOW_TRACKING_URI="")
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name), here:
        dataset = Path("dataset.safetensors")
        datasets.save(images, dataset)
        rounds = [[_train(runs, dataset, tracked) for tracked in (True, False)] for _ in range(n)]
    tracked, untracked = zip(*rounds, strict=True)
    clocks = [median(spent.clock for spent in some) for some in (tracked, untracked)]
    what = f"{len(runs)} runs of net1, {epochs} epochs of {len(images.train_labels):,} images"
    yield Row(
        f"{what}: tracked, compared with untracked",
        duration(clocks[0]),
        duration(clocks[1]),
        f"{100 * (clocks[0] / clocks[1] - 1):+.1f} %; untracked alone {_range(untracked)}",
        n=n,
    )
    # training has processes of its own: what this one spends beyond untracked is tracking
    more = median(a.processor - b.processor for a, b in rounds)
    percent = 100 * more / (clocks[1] * cores(quick))
    yield Row(
        f"{what}: processor time of tracking, of all while they train",
        duration(more),
        duration(clocks[1] * cores(quick)),
        f"{percent:.1f} % (mlflow's import included)",
        f"below {GOAL_PERCENT:g} %",
        percent < GOAL_PERCENT,
        n,
    )


def _range(some: tuple[_Spent, ...]) -> str:
    """The shortest and the longest on the clock."""
    clocks = [spent.clock for spent in some]
    return f"{duration(min(clocks))} to {duration(max(clocks))}"


def _train(runs: list[Run], dataset: Path, tracked: bool) -> _Spent:
    """Train the runs in a store of their own, so that none is reused."""
    with (
        tempfile.TemporaryDirectory(dir=".") as store,
        mock.patch.object(grid, "KEPT_RUNS", Path(store)),
    ):
        clock, processor = time.perf_counter(), sum(os.times()[:4])
        with contextlib.ExitStack() as stack:
            observers: list[grid.Observer] = []
            if tracked:
                tracker = stack.enter_context(Tracker(Path(), "train@net1"))
                live = tracker.live({}, grid_fingerprint([store]))
                observers.append(stack.enter_context(live))
            grid.complete(runs, dataset, observers)
        return _Spent(time.perf_counter() - clock, sum(os.times()[:4]) - processor)
