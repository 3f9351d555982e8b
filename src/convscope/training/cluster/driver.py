"""Trains the runs of a grid on the workers of a Dask cluster: the same files as on this machine."""

import logging
import os
import queue
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
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

POLL_SECONDS = 0.1
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
        from distributed.comm.core import CommClosedError
    except ImportError:
        raise UserError(
            f"{CLUSTER} needs Dask: pip install -c constraints.txt -e '.[cluster]'"
        ) from None
    try:
        with _connected(where) as client, _mark(jobs[0][1].parent) as mark:
            _Grid(client, mark).train(jobs, dataset, tell)
    except KilledWorker as error:
        raise UserError(
            f"{where}: workers died one after another, the last {error.last_worker.address}: read "
            "their logs, and run the stage again (finished runs are kept)"
        ) from None
    except (CommClosedError, CancelledError, TimeoutError):
        raise UserError(
            f"{where}: the scheduler is gone: start it and its workers, and run the stage again "
            "(finished runs are kept)"
        ) from None


@contextmanager
def _connected(where: str) -> Iterator[Any]:
    """A client of the cluster; what it asked for is cancelled when it closes."""
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # errors end in a line of ours
    options: dict[str, Any] = {"address": where, "timeout": CONNECT_SECONDS}
    if local := _LOCAL.fullmatch(where):
        options = {"n_workers": 1, "threads_per_worker": int(local[1])}
        options |= {"processes": False, "dashboard_address": ":0"}
    try:
        client = Client(set_as_default=False, **options)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        told = (" ".join(str(each).split()) for each in (error.__cause__ or "", error))
        why = next(filter(None, told), type(error).__name__)
        raise UserError(
            f"{CLUSTER}={where}: no scheduler answers ({why}): start one (`dask scheduler`), or "
            "unset the variable to train on this machine"
        ) from None
    with client:
        yield client


@contextmanager
def _mark(store: Path) -> Iterator[str]:
    """The name of a file by which a worker sees whether it shares this disk."""
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=store, prefix=".shared-") as mark:
        yield str(Path(mark.name).absolute())


class _Grid:
    """A grid on a cluster."""

    def __init__(self, client: Any, mark: str) -> None:
        self.client, self.mark = client, mark
        self.topic = f"convscope-{secrets.token_hex(8)}"
        self.events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.epochs: dict[str, int] = {}
        self.looked, self.has_workers = -LOOK_SECONDS, False

    def train(self, jobs: Sequence[Job], dataset: Path, tell: Callable[[Event], None]) -> None:
        """Train its runs; the first failure, also of this process, cancels all."""
        from convscope.training.cluster import worker

        shared: dict[str, Any] = {
            "topic": self.topic,
            "mark": self.mark,
            "dataset": f"{jobs[0][0].data}{dataset.suffix}",
            "kernels": jobs[0][0].settings.kernels,
            "wanted": self._wanted(jobs[0][0]),
        }
        self.client.subscribe_topic(self.topic, lambda event: self.events.put(event[1]["event"]))
        self.client.register_plugin(worker.DataSetFile(shared["dataset"], dataset.read_bytes()))
        waiting = {}
        for run, folder in jobs:
            key = f"{self.topic}-{run.net}-{run.id}"
            job = {**shared, **_described(run, folder), "key": key}
            waiting[self.client.submit(worker.train, job, key=key)] = run, folder
        try:
            while waiting:
                self._pass_on(tell, POLL_SECONDS)
                self._say_if_idle()
                for future in [each for each in waiting if each.done()]:
                    content = future.result()
                    self._pass_on(tell, 0)  # a run's events come before its files
                    run, folder = waiting.pop(future)
                    _keep(run, folder, content)
                    tell(Event(run.id, finished=True))
        finally:
            with suppress(Exception):
                self.client.cancel([*waiting], force=True)

    def _wanted(self, run: Run) -> dict[str, str]:
        """What every worker must compute by: torch and code of this process, one kind of processor.

        This waits for the first worker.

        Raises:
            UserError: A worker cannot run convscope, or would compute other bits.
        """
        from convscope.training.cluster import worker

        while not self._say_if_idle():
            time.sleep(POLL_SECONDS)
        threads = run.settings.threads
        wanted = {"torch": torch.__version__, "code": runs.code()[:12], "threads": str(threads)}
        described = self.client.run(
            worker.describe, run.settings.kernels, threads, on_error="return"
        )
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

    def _pass_on(self, tell: Callable[[Event], None], seconds: float) -> None:
        """Tell what there is and comes in a while, and no epoch again of a run begun again."""
        until = time.monotonic() + seconds
        with suppress(queue.Empty):
            while time.monotonic() < until + POLL_SECONDS:  # though more may come
                left = until - time.monotonic()
                event = Event(**self.events.get(left > 0, max(left, 0)))
                epoch = event.row["epoch"] if event.row else 0
                if epoch > self.epochs.get(event.run_id, -1) and not event.finished:
                    self.epochs[event.run_id] = int(epoch)
                    tell(event)

    def _say_if_idle(self) -> bool:
        """Whether there were workers when last looked for; says in a line if there are none."""
        if time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            self.has_workers = bool(self.client.nthreads())
            if not self.has_workers:
                what = "the scheduler has no workers: waiting for one"
                print(f"convscope: {CLUSTER}: {what}", file=sys.stderr, flush=True)
        return self.has_workers


def _described(run: Run, folder: Path) -> dict[str, Any]:
    """A run, as plain values; its checkpoint, where there is one."""
    begun = [folder / CHECKPOINT]
    return {
        "run": {
            "net": run.net,
            "point": run.point,
            "settings": asdict(run.settings),
            "data": run.data,
        },
        "folder": str(folder.absolute()),
        "begun": {path.name: path.read_bytes() for path in begun if path.is_file()},
    }


def _keep(run: Run, folder: Path, content: dict[str, bytes]) -> None:
    """Write a run's files, the one that completes it last, and see that they are what was trained.

    Raises:
        UserError: They are not.
    """
    for name in RUN_FILES:
        files.write_bytes(folder / name, content[name])
    if not trainer.is_finished(run, folder):
        raise UserError(
            f"{run.net}: run {run.id} came back damaged from the cluster: run the stage again"
        )
    (folder / CHECKPOINT).unlink(missing_ok=True)
