"""Train runs side by side, each in a process of its own declared number of threads."""

import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from convscope.base import allocator, names, paths, runtime
from convscope.base.errors import UserError, is_out_of_memory
from convscope.base.interrupts import interrupts_held
from convscope.data import datasets as data_sets
from convscope.data.datasets import DataSet
from convscope.training import processes, trainer
from convscope.training.run import Run
from convscope.training.trainer import Row

# a run, and the folder that it is kept in
Job = tuple[Run, Path]
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Event:
    """Something that happened to a run: it started, finished an epoch (``row``), or finished."""

    run_id: str
    row: Row | None = None
    finished: bool = False


def train_side_by_side(jobs: Sequence[Job], dataset: Path, tell: Callable[[Event], None]) -> None:
    """Train runs on a data set's file, as many at a time as ``runtime.workers`` says.

    The bits are the same for any number; ``tell`` is called with every event, in this process.

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
            train_run(*job, data, device, tell)
        return
    try:
        _train_in_processes(jobs, workers, dataset, tell)
    except BrokenProcessPool:
        raise UserError(
            "a training process was killed, perhaps because the machine was out of memory: run the "
            f"stage again (finished epochs are kept), with {names.WORKERS}=1 if it recurs"
        ) from None


def _train_in_processes(
    jobs: Sequence[Job], workers: int, dataset: Path, tell: Callable[[Event], None]
) -> None:
    """Train runs in as many processes as there are workers; the first failure ends all."""
    context = processes.context()
    events = context.Queue()
    with ProcessPoolExecutor(workers, context, _begin, (dataset, events)) as pool:
        left = {run.id for run, _ in jobs}

        def heard(event: Event) -> None:
            tell(event)
            if event.finished:
                left.discard(event.run_id)

        try:
            with interrupts_held():
                futures = [pool.submit(_work, job) for job in jobs]
            # a process does not end before all that it said is heard
            while left:
                _pass_on(events, heard)
                for future in futures:
                    if future.done():
                        future.result()
        except BaseException:
            # leaving the pool then waits until they are gone
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _pass_on(events: Any, tell: Callable[[Event], None]) -> None:
    """Pass on events for ``POLL_SECONDS``, or until none comes."""
    until = time.monotonic() + POLL_SECONDS
    with suppress(queue.Empty):
        while (left := until - time.monotonic()) > 0:
            tell(events.get(timeout=left))


class _Process:
    """What a training process holds on to between runs."""

    dataset: Path
    events: Any


def _begin(dataset: Path, events: Any) -> None:
    """Prepare a training process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Process.dataset, _Process.events = dataset, events


def _end_with_parent() -> None:
    """Without this a training process would outlive a pipeline that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a training process has a parent"
    parent.join()
    os._exit(1)


def _work(job: Job) -> None:
    train_one_of_many(job, _Process.dataset, _Process.events.put)


def train_one_of_many(job: Job, dataset: Path, tell: Callable[[Event], None]) -> None:
    """Train a run in a process that trains nothing else, which keeps the data set for the next.

    Raises:
        UserError: It cannot be trained.
    """
    train_run(*job, _kept(dataset), runtime.device(), tell)


# not prepared in _begin, whose errors the pool prints with a traceback
@lru_cache(maxsize=1)
def _kept(dataset: Path) -> DataSet:
    """A data set on the device, for a process whose freed memory the next run needs again."""
    allocator.keep_freed_memory()
    return data_sets.load(dataset).to(runtime.device())


def train_run(
    run: Run, folder: Path, data: DataSet, device: torch.device, tell: Callable[[Event], None]
) -> None:
    """Train a run in this process, telling its events.

    Raises:
        UserError: It cannot be trained, be it that the memory does not suffice.
    """
    if run.data != data.fingerprint:
        raise UserError(f"{paths.DATASET} was changed while the stage ran: run it again")
    tell(Event(run.id))
    try:
        trainer.train(run, data, folder, device, on_epoch=lambda row: tell(Event(run.id, row)))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            f"{run.net}: run {run.id} needs more memory than there is: lower its batch_size or "
            f"l1_oc in params.yaml, or set {names.WORKERS}=1"
        ) from None
    tell(Event(run.id, finished=True))
