"""Live tracking: what a grid reports while it trains goes to MLflow from a thread of its own."""

import os
import queue
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convscope.tracking.finished import Record, flatten
from convscope.tracking.journal import Journal
from convscope.tracking.server import warn

WRITE_SECONDS = 2.0
YIELDING = 10  # of 19; a thread so nice leaves processors to those that train
CLOSE_SECONDS = 10.0


@dataclass(frozen=True)
class _Started:
    run_id: str
    run: Mapping[str, Any]


@dataclass(frozen=True)
class _Epoch:
    run_id: str
    row: Mapping[str, float]


@dataclass(frozen=True)
class _Finished:
    run_id: str


@dataclass(frozen=True)
class _Closed:
    status: str | None


_Event = _Started | _Epoch | _Finished | _Closed


class Observer:
    """Passes a grid's events to MLflow without ever blocking or failing it.

    Each method only puts an event on a queue. A daemon thread imports mlflow, creates the runs and
    writes at most once in ``WRITE_SECONDS``, while it yields processors to whoever trains; after
    its first failure it warns and drops the rest.
    """

    def __init__(self, root: Path, record: Record) -> None:
        self._root = root
        self._record = record
        self._events: queue.Queue[_Event] = queue.Queue()
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._track, name="convscope-live", daemon=True)
        self._thread.start()

    def run_started(self, run_id: str, run: Mapping[str, Any]) -> None:
        """A point begins, or resumes, its training; ``run`` is what its run.json will hold."""
        self._put(_Started(run_id, dict(run)))

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """A point has finished an epoch; ``row`` is its row of history.csv."""
        self._put(_Epoch(run_id, dict(row)))

    def run_finished(self, run_id: str) -> None:
        """A point has finished its training."""
        self._put(_Finished(run_id))

    def close(self, status: str | None = None) -> None:
        """Write what is left, for at most ``CLOSE_SECONDS``.

        Args:
            status: The MLflow status of a grid that did not finish, such as ``FAILED``. A finished
                one stays as running: ``publish_stage`` completes it.
        """
        self._put(_Closed(status))
        self._thread.join(CLOSE_SECONDS)
        self._abandoned.set()

    def _put(self, event: _Event) -> None:
        """Queue an event, unless nobody reads the queue any more."""
        if not self._abandoned.is_set():
            self._events.put_nowait(event)

    def _track(self) -> None:
        """The thread: write until closed; a failure ends the tracking, never the training."""
        try:
            _yield_processors()
            # importing mlflow only then, it does not delay the start of the training processes
            events = self._gather()
            journal = Journal(self._root, self._record)
            while not self._write(journal, events) and not self._abandoned.is_set():
                events = self._gather()
        except Exception as error:
            warn(self._root, self._record.stage, error)
        self._abandoned.set()

    def _gather(self) -> list[_Event]:
        """Wait for an event and take those of the next ``WRITE_SECONDS`` with it."""
        events = [self._events.get()]
        end = time.monotonic() + WRITE_SECONDS
        while not isinstance(events[-1], _Closed):
            try:
                events.append(self._events.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                break
        return events

    def _write(self, journal: Journal, events: list[_Event]) -> bool:
        """Write events, the epochs of a run together; True if the last one closes the journal."""
        rows: dict[str, list[Mapping[str, float]]] = defaultdict(list)
        for event in events:
            if isinstance(event, _Started):
                journal.start(event.run_id, event.run)
            elif isinstance(event, _Epoch):
                rows[event.run_id].append(event.row)
        for run_id, some in rows.items():
            if self._abandoned.is_set():
                return True
            journal.log_epochs(run_id, some)
        for event in events:
            if isinstance(event, _Finished):
                journal.finish(event.run_id)
        last = events[-1]
        if isinstance(last, _Closed) and last.status is not None:
            journal.end(last.status)
        return isinstance(last, _Closed)


def _yield_processors() -> None:
    """Lower the priority of this thread alone, where a thread has one of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), YIELDING)


@contextmanager
def live(root: Path, stage: str, params: Mapping[str, Any], fingerprint: str) -> Iterator[Observer]:
    """Track a grid while it trains.

    The stage's run, and a child for each point that starts, are created or, where an earlier
    attempt was killed, adopted. After the block call ``publish_stage``, which completes them from
    the finished files.

    Args:
        root: The project folder.
        stage: The stage's name.
        params: The parameters that the stage uses, as its params.json will hold them.
        fingerprint: ``grid_fingerprint`` of all runs of the grid.

    Yields:
        The observer to hand to the grid. A block that fails leaves the runs marked as failed.
    """
    observer = Observer(root, Record(stage, stage, fingerprint, params=flatten(params)))
    try:
        yield observer
    except BaseException as error:
        observer.close("FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    observer.close()
