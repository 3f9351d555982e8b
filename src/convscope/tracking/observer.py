"""Live tracking: what a grid reports while it trains goes to MLflow from a thread of its own."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from convscope.tracking.finished import Record, flatten, point_params
from convscope.tracking.runs import StageRuns
from convscope.tracking.server import connect, publish_lock, warn

WRITE_SECONDS = 2.0
YIELDING = 10  # of 19; a thread so nice leaves processors to those that train
CLOSE_SECONDS = 10.0


class Observer:
    """Passes a grid's events to MLflow without ever blocking or failing it.

    Each method only notes what is new of a run, as a partial record. A daemon thread writes it at
    most once in ``WRITE_SECONDS``; after its first failure it warns and drops the rest.
    """

    def __init__(self, root: Path, stage: Record) -> None:
        self._root = root
        self._stage = stage
        self._training = {stage.name: stage}
        self._news: dict[str, tuple[Record, str]] = {stage.name: (stage, "RUNNING")}
        self._lock = threading.Lock()  # of the news
        self._closed = threading.Event()
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._track, name="convscope-live", daemon=True)
        self._thread.start()

    def run_started(self, run_id: str, run: Mapping[str, Any]) -> None:
        """A point begins, or resumes, its training; ``run`` is what its run.json will hold."""
        point = Record(self._stage.stage, run_id, run["fingerprint"], params=point_params(run))
        self._training[run_id] = point
        self._note(point, "RUNNING")

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """A point has finished an epoch; ``row`` is its row of history.csv."""
        self._note(replace(self._training[run_id], epochs=(dict(row),)), "RUNNING")

    def run_finished(self, run_id: str) -> None:
        """A point has finished its training."""
        self._note(self._training.pop(run_id), "FINISHED")

    def close(self, status: str = "RUNNING") -> None:
        """Write what is left, for at most ``CLOSE_SECONDS``, and MLflow's status of the grid."""
        for record in self._training.values():
            self._note(record, status)
        self._closed.set()
        self._thread.join(CLOSE_SECONDS)
        self._abandoned.set()

    def _note(self, record: Record, status: str) -> None:
        if not self._thread.is_alive():
            return
        with self._lock:
            if earlier := self._news.get(record.name):
                record = replace(record, epochs=earlier[0].epochs + record.epochs)
            self._news[record.name] = record, status

    def _track(self) -> None:
        """The thread: write until closed; a failure ends the tracking, never the training."""
        try:
            if sys.platform == "linux":  # elsewhere a thread has no priority of its own
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), YIELDING)
            # importing mlflow only once a run has begun, it does not delay the training processes
            while not self._closed.wait(WRITE_SECONDS) and len(self._news) == 1:
                pass
            with publish_lock(self._root):
                runs = StageRuns(connect(self._root), self._root, self._stage)
            while not self._closed.is_set():
                self._write(runs)
                self._closed.wait(WRITE_SECONDS)
            self._write(runs)
        except Exception as error:
            warn(self._root, self._stage.stage, error)

    def _write(self, runs: StageRuns) -> None:
        with self._lock:
            news, self._news = self._news, {}
        for record, status in news.values():
            if self._abandoned.is_set():
                return
            run = runs.run(record)
            run.log(record)
            run.mark(status)


@contextmanager
def live(root: Path, stage: str, params: Mapping[str, Any], fingerprint: str) -> Iterator[Observer]:
    """Track a grid, which ``grid_fingerprint`` identifies, while it trains.

    The stage's run, and a child for each point that starts, are created or, where an earlier
    attempt was killed, adopted; a block that fails leaves them marked as failed. After the block
    call ``publish_stage``, which completes them from the finished files.
    """
    observer = Observer(root, Record(stage, stage, fingerprint, params=flatten(params)))
    try:
        yield observer
    except BaseException as error:
        observer.close("FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    observer.close()
