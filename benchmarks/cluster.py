"""A grid of toy runs on a Dask cluster of this machine: what the cluster costs for each run."""

import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

from distributed import LocalCluster

from benchmarks import subjects
from benchmarks.measuring import Row, cores, duration, memory
from benchmarks.measuring import clocked as timed
from convscope.base import names
from convscope.data import datasets
from convscope.training.cluster import driver
from convscope.training.executor import Job, train_side_by_side

TITLE = "A grid on a cluster of this machine, beside one process"
GOAL_SECONDS = 0.05


def rows(quick: bool) -> Iterator[Row]:
    """200 runs on 1, 2 and 4 workers; 4 on one when it must be quick."""
    count, sizes = (4, (1,)) if quick else (200, (1, 2, 4))
    with tempfile.TemporaryDirectory() as name:
        folder, dataset = Path(name), Path(name) / "dataset.safetensors"
        datasets.save(subjects.part(64, 32), dataset)
        local = timed(lambda: _here(_jobs(folder / "local", count), dataset))
        local()  # a first step imports much of torch
        alone = timed(lambda: _here(_jobs(folder / "alone", count), dataset))()
        yield Row(f"{count} runs of 2 epochs of 64 images in one process", duration(alone), n=1)
        for size in sizes:
            yield from _on(size, count, folder, dataset, alone)


def _on(size: int, count: int, folder: Path, dataset: Path, alone: float) -> Iterator[Row]:
    """The grid on so many workers: what each run takes beyond its training, and memory."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "local_directory": str(folder)}
    # Dask sets variables for its workers, and leaves them
    with (
        mock.patch.dict(os.environ),
        LocalCluster(n_workers=size, **options) as cluster,  # type: ignore[no-untyped-call]
    ):

        def there(part: str, runs: int) -> None:
            with mock.patch.dict(os.environ, {names.CLUSTER: cluster.scheduler_address}):
                driver.train(_jobs(folder / f"{size}-{part}", runs), dataset, lambda _: None)

        begun = timed(lambda: there("first", size))()
        before = _peak()
        taken = timed(lambda: there("all", count))()
    # more workers than processors train no faster
    training = alone / min(size, cores(quick=False))
    overhead = (taken - training) / count * min(size, cores(quick=False))
    what = f"the same on {size} worker{'s' * (size > 1)}"
    grown = memory(_peak() - before)
    yield Row(
        f"{what}, whose processes took {duration(begun)} to start",
        duration(taken),
        duration(training),
        f"{duration(max(overhead, 0))} a run beyond its training; the driver grew by {grown}",
        f"below {duration(GOAL_SECONDS)}",
        overhead < GOAL_SECONDS,
        1,
    )


def _jobs(folder: Path, count: int) -> Sequence[Job]:
    """Runs of the narrowest network, each of a seed of its own."""
    data = subjects.part(64, 32).fingerprint
    point = {"l1_oc": 4, "batch_size": 32}
    runs = [subjects.run("net1", 2, {**point, "seed": seed}, data=data) for seed in range(count)]
    return [(run, folder / run.id) for run in runs]


def _here(jobs: Sequence[Job], dataset: Path) -> None:
    with mock.patch.dict(os.environ, {names.WORKERS: "1", names.DEVICE: "cpu"}):
        train_side_by_side(jobs, dataset, lambda _: None)


def _peak() -> float:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
