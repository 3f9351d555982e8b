"""Train runs side by side, each in a process of its own declared number of threads."""

import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import torch

from convscope import data as data_sets
from convscope import runtime, training
from convscope.data import DataSet
from convscope.errors import UserError
from convscope.runs import Run
from convscope.training import Row

Job = tuple[Run, Path]
POLL_SECONDS = 0.2
# what a training process imports until its first step; optimizers of torch import the second
PRELOADED = ["convscope.executor", "torch._dynamo"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a run: it started, finished an epoch (``row``), or finished."""

    run_id: str
    row: Row | None = None
    finished: bool = False


def train_side_by_side(jobs: Sequence[Job], dataset: Path, tell: Callable[[Event], None]) -> None:
    """Train runs, as many at a time as ``runtime.workers`` says; the bits are the same for any.

    Args:
        jobs: Runs, each with the folder that it is kept in.
        dataset: The data set's file.
        tell: Told every event, in this process.

    Raises:
        UserError: A run cannot be trained, or a process was killed.
    """
    if not jobs:
        return
    device = runtime.device()
    workers = min(len(jobs), runtime.workers(jobs[0][0].settings.threads))
    if workers == 1:
        data = data_sets.load(dataset).to(device)
        for job in jobs:
            _train(job, data, device, tell)
        return
    context = _context()
    events = context.Queue()
    with ProcessPoolExecutor(workers, context, _begin, (dataset, device, events)) as pool:
        try:
            with _interrupts_held():
                futures = [pool.submit(_work, job) for job in jobs]
            _listen(futures, events, tell)
        except BaseException:
            # leaving the pool then waits until they are gone
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    # a process that ends has sent all its events, though perhaps after its result
    while not events.empty():
        tell(events.get())


def _context() -> BaseContext:
    """How training processes start: forked by a server that has imported torch, once for all."""
    if sys.platform != "linux":  # elsewhere system libraries may not survive a fork
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started meanwhile never see an interrupt; this one sees it afterwards.

    A terminal sends Ctrl-C to all of them, and this process ends the others.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _listen(futures: Sequence["Future[None]"], events: Any, tell: Callable[[Event], None]) -> None:
    """Pass events on until every run is done; the first failure ends it."""
    waiting = set(futures)
    while waiting:
        _pass_on(events, tell, POLL_SECONDS)
        for future in [future for future in waiting if future.done()]:
            waiting.remove(future)
            try:
                future.result()
            except BrokenProcessPool:
                raise UserError(
                    "a training process was killed, perhaps for want of memory: run the stage "
                    f"again (finished epochs are kept), with {runtime.WORKERS}=1 if it recurs"
                ) from None


def _pass_on(events: Any, tell: Callable[[Event], None], seconds: float) -> None:
    """Pass on events for so long, or until none comes."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            tell(events.get(timeout=left))
        except queue.Empty:
            return


class _Process:
    """What a training process holds on to between runs."""

    data: DataSet
    device: torch.device
    events: Any


def _begin(dataset: Path, device: torch.device, events: Any) -> None:
    """Prepare a training process."""
    _end_with_parent()
    _Process.data = data_sets.load(dataset).to(device)
    _Process.device, _Process.events = device, events


def _end_with_parent() -> None:
    """Without this a training process would outlive a pipeline that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a training process has a parent"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _work(job: Job) -> None:
    _train(job, _Process.data, _Process.device, _Process.events.put)


def _train(job: Job, data: DataSet, device: torch.device, tell: Callable[[Event], None]) -> None:
    run, folder = job
    tell(Event(run.id))
    try:
        training.train(run, data, folder, device, on_epoch=lambda row: tell(Event(run.id, row)))
    except (MemoryError, RuntimeError) as error:
        if not _is_want_of_memory(error):
            raise
        raise UserError(
            f"{run.net}: run {run.id} needs more memory than there is: lower its batch_size or "
            f"l1_oc in params.yaml, or set {runtime.WORKERS}=1"
        ) from None
    tell(Event(run.id, finished=True))


def _is_want_of_memory(error: Exception) -> bool:
    """Whether torch, which has no error of its own for it on the CPU, could not have memory."""
    words = ("can't allocate memory", "out of memory", "bad_alloc")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)
