"""A grid of toy runs on a Dask cluster of this machine: what the cluster costs for each run.

That is counted in time of processors, since scheduler, workers and driver share them here with the
runs, and with whatever else the machine does. The longer that makes it, the more would be counted
of what Dask measures many times a second, with runs or without: it is told to do so once a second.
"""

import os
import resource
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import dask
import psutil
from distributed import LocalCluster

from benchmarks import subjects
from benchmarks.measuring import Row, duration, memory
from benchmarks.measuring import clocked as timed
from convscope.base import names
from convscope.data import datasets
from convscope.training.cluster import driver
from convscope.training.executor import Job, train_side_by_side

TITLE = "A grid on a cluster of this machine, beside one process: time of processors for each run"
GOAL_SECONDS = 0.05
QUIET: dict[str, Any] = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.system-monitor.interval": "1s",
    "distributed.admin.tick.interval": "1s",
}
# variables for threads, which must be unset before torch is imported, where processes are forked
FORKED: dict[str, Any] = {"distributed.nanny.pre-spawn-environ": {}}
HERE, WORKERS, TRAINING = "driver and scheduler", "workers", "training"


def rows(quick: bool) -> Iterator[Row]:
    """200 runs on 1, 2 and 4 workers; 4 on one, that may be forked, when it must be quick."""
    count, sizes = (4, (1,)) if quick else (200, (1, 2, 4))
    settings = QUIET | (FORKED if quick else {})
    with tempfile.TemporaryDirectory() as name, dask.config.set(settings):
        folder, dataset = Path(name), Path(name) / "dataset.safetensors"
        datasets.save(subjects.part(64, 32), dataset)
        _here(_jobs(folder / "first", 2), dataset)  # a first run finds nothing loaded
        for size in sizes:
            yield from _on(size, count, folder, dataset)


def _on(size: int, count: int, folder: Path, dataset: Path) -> Iterator[Row]:
    """The grid on so many workers: what each run takes beyond its training, and memory."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "local_directory": str(folder)}
    # a run takes longer on a busier machine, so it is measured alone just before
    alone = _spent_by(lambda: _here(_jobs(folder / f"{size}-alone", count), dataset))[HERE] / count
    # Dask sets variables for its workers, and leaves them
    with (
        mock.patch.dict(os.environ),
        LocalCluster(n_workers=size, **options) as cluster,  # type: ignore[no-untyped-call]
    ):

        def there(part: str, runs: int) -> None:
            with mock.patch.dict(os.environ, {names.CLUSTER: cluster.scheduler_address}):
                driver.train(_jobs(folder / f"{size}-{part}", runs), dataset, lambda _: None)

        begun = timed(lambda: there("first", 2 * size))()
        before = _peak()
        spent = _spent_by(lambda: there("all", count))
    parts = {part: spent[part] / count for part in (HERE, WORKERS)}
    overhead = sum(parts.values())
    listed = ", ".join(f"{1000 * taken:.0f} in {part}" for part, taken in parts.items())
    yield Row(
        f"a run of {count}, 2 epochs of 64 images, on {size} worker{'s' * (size > 1)}, whose "
        f"processes took {duration(begun)} to start: its training",
        duration(spent[TRAINING] / count),
        duration(alone),
        f"{1000 * overhead:.0f} ms a run beside its training: {listed}; the driver grew by "
        f"{memory(_peak() - before)}",
        f"below {duration(GOAL_SECONDS)}",
        overhead < GOAL_SECONDS,
        1,
    )


def _spent_by(action: Callable[[], object]) -> Counter[str]:
    """The seconds that processors worked during an action, by process."""
    before = _spent()
    action()
    return _spent() - before


def _spent() -> Counter[str]:
    """The seconds that processors have worked for this process and those that it started."""
    this, spent = psutil.Process(), Counter[str]()
    for process in (this, *this.children(recursive=True)):
        kind = TRAINING if "cluster.child" in " ".join(process.cmdline()) else WORKERS
        times = process.cpu_times()
        spent[HERE if process == this else kind] += times.user + times.system
    return spent


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
