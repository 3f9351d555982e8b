"""What a cluster's worker does for a grid: it keeps the data set, and trains runs in children.

Dask sends these functions to its workers by name. A worker never imports torch, so that each child
chooses its kernels before it does; and a child can be killed, which a thread of a worker cannot.
"""

import asyncio
import multiprocessing
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from convscope.base import files
from convscope.base.errors import UserError
from convscope.base.paths import RUN_FILES

POLL_SECONDS = 1.0


class DataSetFile(WorkerPlugin):
    """A data set's file, of which each worker, also one that joins later, keeps a copy."""

    idempotent = True  # the scheduler has it until it ends, and other grids use it too

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    def setup(self, worker: Worker) -> None:
        """Write the file, and forget its content."""
        files.write_bytes(Path(worker.local_directory, self.name), self.content)
        self.content = b""


class _Child:
    """A process of its own for training.

    Not of multiprocessing, whose processes a worker that has a nanny may not start.
    """

    def __init__(self, kernels: str) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        module = "convscope.training.cluster.child"
        command = [sys.executable, "-m", module, str(theirs.fileno()), kernels]
        with theirs:
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self.is_busy = False

    def ask(self, question: object, worker: str) -> Iterator[Any]:
        """Yield what it tells until its answer ends, and None while it says nothing."""
        try:
            self._connection.send(question)
            self.is_busy = True
            while self.is_busy:
                while not self._connection.poll(POLL_SECONDS):
                    yield None
                told = self._connection.recv()
                self.is_busy = isinstance(told, dict)
                if isinstance(told, Exception):
                    raise told
                yield told
        except (EOFError, OSError):
            raise UserError(
                f"a training process of the worker {worker} was killed, perhaps because memory ran "
                "out: run the stage again (finished runs are kept), with fewer threads a worker if "
                "it recurs"
            ) from None

    def description(self, threads: int, worker: str) -> dict[str, str]:
        """What the bits of a run of so many CPU threads depend on in it."""
        (found,) = filter(None, self.ask(threads, worker))
        return dict(found)


_idle: defaultdict[str, list[_Child]] = defaultdict(list)


@contextmanager
def _child(kernels: str) -> Iterator[_Child]:
    """A child for one task at a time, kept for the next one if it has answered."""
    idle = _idle[kernels]
    child = idle.pop() if idle else _Child(kernels)
    if child.process.poll() is not None:  # it was idle for too long
        child = _Child(kernels)
    try:
        yield child
    finally:
        if child.is_busy:
            child.process.kill()
            child.process.wait()
        else:
            idle.append(child)


async def describe(kernels: str, threads: int, dask_worker: Worker) -> dict[str, str]:
    """What the bits of a run depend on here; it also makes a child ready for each thread."""

    def found() -> dict[str, str]:
        with ExitStack() as stack:
            each_thread = range(dask_worker.state.nthreads)
            children = [stack.enter_context(_child(kernels)) for _ in each_thread]
            found = [child.description(threads, dask_worker.address) for child in children]
        return found[0]

    return await asyncio.to_thread(found)  # Dask's own thread has other things to answer


def require_same(worker: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Raise a UserError that names the worker, if it would compute other bits."""
    for what, value in wanted.items():
        if found[what] != value:
            raise UserError(
                f"the worker {worker} would compute other bits: its {what} is {found[what]}, not "
                f"{value}: start it with the same, or leave it out"
            )


def train(job: Mapping[str, Any]) -> dict[str, bytes]:
    """Train a run in a child, logging its events under the job's topic; its files by their names.

    On a disk that the driver shares the run has its usual folder, and goes on after its last epoch
    also where another worker has died.

    Raises:
        UserError: The run cannot be trained, or this worker would compute other bits.
    """
    worker = get_worker()
    here, folder = Path(worker.local_directory), Path(job["folder"])
    if not Path(job["mark"]).exists():
        folder = here / folder.name
        for name, content in job["begun"].items():
            if not (folder / name).exists():
                files.write_bytes(folder / name, content)
    run = {**job["run"], "folder": str(folder), "dataset": str(here / job["dataset"])}
    with _child(job["kernels"]) as child:
        found = child.description(job["run"]["settings"]["threads"], worker.address)
        require_same(worker.address, found, job["wanted"])
        for event in child.ask(run, worker.address):
            if worker.state.tasks[job["key"]].state == "cancelled":
                raise CancelledError
            if event:
                worker.log_event(job["topic"], {"event": event})
    return {name: (folder / name).read_bytes() for name in RUN_FILES}
