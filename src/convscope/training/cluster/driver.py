"""Trains the runs of a grid on the workers of a Dask cluster: the same files as on this machine."""

import logging
import os
import queue
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from convscope.base import files
from convscope.base.errors import UserError
from convscope.base.names import CLUSTER
from convscope.base.paths import RUN_FILES
from convscope.training import run as runs
from convscope.training import trainer
from convscope.training.checkpoints import CHECKPOINT
from convscope.training.executor import Event, Job
from convscope.training.run import Run

LOOK_SECONDS = 10.0
CONNECT_SECONDS = 10.0
_LOCAL = re.compile("local:([1-9][0-9]{0,2})")
_REMOTE = re.compile(r"[a-z]+://\S+")


def address() -> str | None:
    """What CONVSCOPE_CLUSTER names: a scheduler's address, or ``local:N``; None if it is not set.

    Raises:
        UserError: It is neither.
    """
    found = os.environ.get(CLUSTER)
    if found and not (_LOCAL.fullmatch(found) or _REMOTE.fullmatch(found)):
        raise UserError(
            f"{CLUSTER}={found}: set it to the address that a Dask scheduler prints, such as "
            "tcp://10.0.0.1:8786, or to local:4 for four runs at a time on this machine"
        )
    return found or None


def train(jobs: Sequence[Job], dataset: Path, tell: Callable[[Event], None]) -> None:
    """Train runs on a data set's file on the cluster; ``tell`` is called here with every event.

    Raises:
        UserError: A run cannot be trained, a worker would compute other bits, or the scheduler is
            gone.
    """
    where = address()
    if not jobs or where is None:
        return
    try:
        from distributed import KilledWorker
    except ImportError:
        raise UserError(
            f"{CLUSTER} needs Dask: pip install -c constraints.txt -e '.[cluster]'"
        ) from None
    try:
        with _connected(where) as client:
            _Grid(client, tell).train(jobs, dataset)
    except KilledWorker as error:
        raise UserError(
            f"{where}: workers died one after another, the last {error.last_worker.address}: read "
            "their logs, and run the stage again (finished runs are kept)"
        ) from None
    except (CancelledError, OSError) as error:
        if getattr(error, "errno", None) is not None:  # not Dask's, but of a file here
            raise
        raise UserError(
            f"{where}: the scheduler is gone: start it and its workers, and run the stage again "
            "(finished runs are kept)"
        ) from None


@contextmanager
def _connected(where: str) -> Iterator[Any]:
    """A client of the cluster; what it asked for is cancelled when it closes."""
    from distributed import Client

    class Closing(Client):
        """Leaves nothing open that did not connect: Dask would close it while another starts."""

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)  # type: ignore[no-untyped-call]
            except BaseException:
                self.close()  # type: ignore[no-untyped-call]
                raise

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # errors end in a line of ours
    options: dict[str, Any] = {"address": where, "timeout": CONNECT_SECONDS}
    if local := _LOCAL.fullmatch(where):
        options = {"n_workers": 1, "threads_per_worker": int(local[1])}
        options |= {"processes": False, "dashboard_address": ":0"}
    try:
        client = Closing(set_as_default=False, **options)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        told = (" ".join(str(each).split()) for each in (error.__cause__ or "", error))
        why = next(filter(None, told), type(error).__name__)
        raise UserError(
            f"{CLUSTER}={where}: no scheduler answers ({why}): start one (`dask scheduler`), or "
            "unset the variable to train on this machine"
        ) from None
    with client:
        yield client


class _Grid:
    """A grid on a cluster."""

    def __init__(self, client: Any, tell: Callable[[Event], None]) -> None:
        self.client, self.tell = client, tell
        # events, runs that are done and workers that join, as Dask's threads hear of them
        self.heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.epochs: dict[str, float] = {}

    def train(self, jobs: Sequence[Job], dataset: Path) -> None:
        """Train its runs; the first failure, also of this process, ends all."""
        from convscope.training.cluster import worker

        first, topic = jobs[0][0], f"convscope-{secrets.token_hex(8)}"
        settings = first.settings.kernels, first.settings.threads
        wanted, copy = self._wanted(*settings), f"{first.data}{dataset.suffix}"
        ready = worker.Ready(copy, dataset.read_bytes(), *settings)
        for each in (topic, ready.name):
            self.client.subscribe_topic(each, lambda event: self.heard.put(event[1]))
        self.client.register_plugin(ready)
        waiting = {f"{topic}-{run.net}-{run.id}": (run, folder) for run, folder in jobs}
        futures = self.client.map(
            worker.train,
            *zip(*(_packed(*job) for job in jobs), strict=True),
            grid={"topic": topic, "settings": settings, "wanted": wanted, "dataset": copy},
            key=[*waiting],
            resources={worker.resource(wanted): 1},
        )
        for future in futures:
            future.add_done_callback(self.heard.put)
        while waiting:
            heard = self._next()
            if not isinstance(heard, dict):
                _keep(*waiting[heard.key], heard.result())
                self.tell(Event(waiting.pop(heard.key)[0].id, finished=True))
            elif "event" in heard:
                self._pass_on(Event(**heard["event"]))
            else:
                _say_if_left_out(heard["worker"], heard["found"], wanted)

    def _wanted(self, kernels: str, threads: int) -> dict[str, str]:
        """What every worker must compute by: torch and code of this process, one kind of processor.

        This waits for the first worker.

        Raises:
            UserError: A worker cannot run convscope, or would compute other bits.
        """
        from convscope.training.cluster import worker

        self._wait_for_workers()
        wanted = {"torch": torch.__version__, "code": runs.code()[:12], "threads": str(threads)}
        described = self.client.run(worker.describe, kernels, threads, on_error="return")
        for name, found in sorted(described.items()):
            if isinstance(found, UserError):
                raise found
            if isinstance(found, BaseException):
                raise UserError(
                    f"the worker {name} cannot run convscope ({found!r}): install this project "
                    "into the environment that starts it"
                )
            worker.require_same(name, found, wanted)
            # this machine may be of another kind, since it computes nothing
            wanted["processor"] = found["processor"]
        return wanted

    def _next(self) -> Any:
        """What is heard next: it may take hours, and without workers never comes."""
        while True:
            try:
                return self.heard.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._wait_for_workers()

    def _wait_for_workers(self) -> None:
        """Wait until there is a worker, and say in a line if there is none."""
        if not self.client.nthreads():
            what = "the scheduler has no workers: waiting for one"
            print(f"convscope: {CLUSTER}: {what}", file=sys.stderr, flush=True)
            self.client.wait_for_workers(1)

    def _pass_on(self, event: Event) -> None:
        """Tell an event, but of a run that began again no epoch twice."""
        epoch = event.row["epoch"] if event.row else 0
        if epoch > self.epochs.get(event.run_id, -1):
            self.epochs[event.run_id] = epoch
            self.tell(event)


def _say_if_left_out(worker: str, found: dict[str, str], wanted: dict[str, str]) -> None:
    """Say in a line how a worker that has joined would compute other bits, if it would."""
    from convscope.training.cluster.worker import require_same

    try:
        require_same(worker, found, wanted)
    except UserError as error:
        print(f"convscope: {CLUSTER}: left out: {error}", file=sys.stderr, flush=True)


def _packed(run: Run, folder: Path) -> tuple[dict[str, Any], Path, dict[str, bytes]]:
    """A run, as plain values; its folder; its checkpoint, if it has one."""
    folder.parent.mkdir(parents=True, exist_ok=True)  # so that workers see whether they share it
    begun = folder / CHECKPOINT
    content = {CHECKPOINT: begun.read_bytes()} if begun.is_file() else {}
    return asdict(run), folder.absolute(), content


def _keep(run: Run, folder: Path, contents: Sequence[bytes]) -> None:
    """Write a run's files, the one that completes it last, and see that they are what was trained.

    Raises:
        UserError: They are not.
    """
    for name, content in zip(RUN_FILES, contents, strict=True):
        files.write_bytes(folder / name, content)
    if not trainer.is_finished(run, folder):
        raise UserError(
            f"{run.net}: run {run.id} came back damaged from the cluster: run the stage again"
        )
    (folder / CHECKPOINT).unlink(missing_ok=True)
