"""What a cluster's worker does for a grid: it keeps the data set, and trains runs in children.

Dask sends these functions to its workers by name. A worker never imports torch, so that each child
chooses its kernels before it does; and a child can be killed, which a thread of a worker cannot.
"""

import asyncio
import multiprocessing
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from distributed import Status, Worker, WorkerPlugin, get_worker

from convscope.base import files
from convscope.base.errors import UserError
from convscope.base.paths import RUN_FILES


class Ready(WorkerPlugin):
    """Makes a worker ready for runs on a data set, also one that joins later.

    It then has the data set's file, and a resource that says what its bits depend on. A run asks
    for that resource, so that Dask leaves out a worker that would compute other bits.
    """

    idempotent = True  # the scheduler has it until it ends, and other grids use it too

    def __init__(self, dataset: str, content: bytes, kernels: str, threads: int) -> None:
        self.name = f"{dataset}-{kernels}-{threads}"
        self.dataset, self.content, self.settings = dataset, content, (kernels, threads)

    async def setup(self, worker: Worker) -> None:
        """Write the file and forget its content; describe the worker to Dask and to drivers."""
        files.write_bytes(Path(worker.local_directory, self.dataset), self.content)
        self.content = b""
        found = await describe(*self.settings, dask_worker=worker)
        await worker.set_resources(**{resource(found): worker.state.nthreads})
        # by itself Dask gives a worker's new resource no run that has waited for it
        worker.status = Status.paused
        worker.status = Status.running
        worker.log_event(self.name, {"found": found})  # to which Dask adds its address

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """End a run that nobody waits for any more."""
        if (start, finish) == ("executing", "released") and key in _training:
            _training[key].process.kill()


def resource(description: Mapping[str, str]) -> str:
    """The name of the resource that workers of this description have, one for each run."""
    return " ".join(["convscope", *description.values()])


class _Child:
    """A process of its own for training.

    Not of multiprocessing, whose processes a worker that has a nanny may not start.
    """

    def __init__(self, worker: str, kernels: str, threads: int) -> None:
        self._worker = worker
        self._connection, theirs = multiprocessing.Pipe()
        handle = theirs.fileno()
        module = "convscope.training.cluster.child"
        command = [sys.executable, "-m", module, str(handle), kernels, str(threads)]
        with theirs:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[handle])

    @cached_property
    def description(self) -> dict[str, str]:
        """What the bits of its runs depend on, which it tells first."""
        (told,) = self._told()
        return dict(told)

    def ends(self) -> bool:
        """Whether it is about to end, or has: what is idle has nothing else to say."""
        return self._connection.poll() or self.process.poll() is not None

    def train(self, run: Mapping[str, Any], folder: Path, dataset: Path) -> Iterator[Any]:
        """Yield the events of a run, given as plain values, while it trains it in a folder."""
        with suppress(OSError):  # it is gone, as the next line finds out
            self._connection.send((run, str(folder), str(dataset)))
        yield from self._told()

    def _told(self) -> Iterator[Any]:
        """Yield what it tells until its answer ends; an error in it is raised."""
        while True:
            try:
                told = self._connection.recv()
            except (EOFError, OSError):
                raise UserError(
                    f"a training process of the worker {self._worker} was killed, perhaps because "
                    "memory ran out: run the stage again (finished runs are kept), with fewer "
                    "threads a worker if it recurs"
                ) from None
            if isinstance(told, Exception):
                raise told
            if told is None:
                return
            yield told


_idle: defaultdict[tuple[str, int], list[_Child]] = defaultdict(list)
_training: dict[Any, _Child] = {}  # by the keys of their tasks


@contextmanager
def _child(worker: str, kernels: str, threads: int) -> Iterator[_Child]:
    """A child for one thing at a time, kept for the next one unless this fails."""
    idle = _idle[kernels, threads]
    child = idle.pop() if idle else None
    if child is None or child.ends():  # it was idle for too long
        child = _Child(worker, kernels, threads)
    try:
        _ = child.description  # before anything else that it tells
        yield child
    except BaseException:
        with child.process:
            child.process.kill()
        raise
    idle.append(child)


async def describe(kernels: str, threads: int, dask_worker: Worker) -> dict[str, str]:
    """What the bits of a run depend on here."""

    def found() -> dict[str, str]:
        with _child(dask_worker.address, kernels, threads) as child:
            return child.description

    return await asyncio.to_thread(found)  # Dask's own thread has other things to answer


def require_same(worker: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Raise a UserError that names the worker, if it would compute other bits."""
    for what, value in wanted.items():
        if found[what] != value:
            raise UserError(
                f"the worker {worker} would compute other bits: its {what} is {found[what]}, not "
                f"{value}: start it with the same, or leave it out"
            )


def train(
    run: Mapping[str, Any], folder: Path, begun: Mapping[str, bytes], grid: Mapping[str, Any]
) -> list[bytes]:
    """Train a run, given as plain values, in a child, logging its events; its files.

    In a folder that the driver shares it goes on after its last epoch also where another worker
    has died.

    Raises:
        UserError: The run cannot be trained, or this worker would compute other bits.
    """
    worker = get_worker()
    here, key = Path(worker.local_directory), worker.get_current_task()
    if not folder.parent.exists():
        folder = here / folder.name
    for name, content in begun.items():
        if not (folder / name).exists():
            files.write_bytes(folder / name, content)
    with _child(worker.address, *grid["settings"]) as child:
        require_same(worker.address, child.description, grid["wanted"])
        _training[key] = child
        try:
            if worker.state.tasks[key].state == "cancelled":  # while the child was starting
                raise CancelledError
            for event in child.train(run, folder, here / grid["dataset"]):
                if not event["finished"]:  # it is, once the driver has its files
                    worker.log_event(grid["topic"], {"event": event})
        finally:
            del _training[key]
    made = [(folder / name).read_bytes() for name in RUN_FILES]
    if folder.parent == here:  # the driver keeps them
        shutil.rmtree(folder, ignore_errors=True)
    return made
