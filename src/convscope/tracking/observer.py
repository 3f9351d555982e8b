"""What a grid reports while it trains, handed on now and then from a thread of its own."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from convscope.tracking.records import POINT, Record, Times, epoch_series, point_params

WRITE_SECONDS = 2.0
CLOSE_SECONDS = 10.0

# partial records, each with MLflow's status of its run
News = list[tuple[Record, str]]


class Observer:
    """Hands on a grid's events without ever blocking or failing it.

    Each method only notes what is new of a run, as a partial record. A daemon thread passes the
    news to ``write`` at most once in ``WRITE_SECONDS``, until that returns nothing: it has failed.
    """

    def __init__(self, stage: Record, write: Callable[[News], Any]) -> None:
        self._stage, self._write = stage, write
        self._training = {stage.name: stage}
        self._trained: set[str] = set()
        self._news: dict[str, tuple[Record, str]] = {stage.name: (stage, "RUNNING")}
        self._lock = threading.Lock()  # of the news
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._track, name="convscope-live", daemon=True)
        self._thread.start()

    def run_started(self, run_id: str, run: Mapping[str, Any]) -> None:
        """A point begins, resumes or is reused; ``run`` is what its run.json will hold.

        A reused one ends without an epoch: publishing knows when it was trained.
        """
        self._training[run_id] = Record(
            self._stage.stage,
            run_id,
            run["fingerprint"],
            POINT,
            params=point_params(run),
            times=Times.from_now(),
        )

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """A point has finished an epoch; ``row`` is its row of history.csv."""
        self._trained.add(run_id)
        self._note(replace(self._training[run_id], series=epoch_series([row])), "RUNNING")

    def run_finished(self, run_id: str) -> None:
        """A point has finished its training."""
        point = self._training.pop(run_id)
        if run_id in self._trained:
            self._note(point, "FINISHED")

    def close(self) -> None:
        """Write what is left, without waiting for it."""
        self._closed.set()

    def fail(self, status: str) -> None:
        """Write what is left, for at most ``CLOSE_SECONDS``, and MLflow's status of the grid."""
        for record in self._training.values():
            self._note(record, status)
        self._closed.set()
        self._thread.join(CLOSE_SECONDS)

    def _note(self, record: Record, status: str) -> None:
        if not self._thread.is_alive():
            return
        with self._lock:
            if earlier := self._news.get(record.name):
                names = earlier[0].series.keys() | record.series.keys()
                both = earlier[0].series, record.series
                series = {
                    name: {**both[0].get(name, {}), **both[1].get(name, {})} for name in names
                }
                record = replace(record, series=series)
            self._news[record.name] = record, status

    def _track(self) -> None:
        """The thread: write until closed, and a last time then."""
        is_last = False
        while not is_last:
            is_last = self._closed.wait(WRITE_SECONDS)
            with self._lock:
                news, self._news = [*self._news.values()], {}
            if news and not self._write(news):
                return
