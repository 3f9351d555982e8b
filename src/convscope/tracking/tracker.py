"""Tracks a stage from a process of its own, which imports MLflow while the stage works."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from convscope.base.interrupts import interrupts_held
from convscope.tracking.failures import reason, warn
from convscope.tracking.server import tracking_uri

# the process starts at once, and imports for itself
if TYPE_CHECKING:
    from convscope.tracking.observer import Observer
    from convscope.tracking.publishing import Published

STAGE_SECONDS = 60.0
NICENESS = 10  # of 19: its imports leave the processors to what computes


class Tracker:
    """Tracks one stage, which never fails because of it.

    Whatever goes wrong there, or holds its end up for ``STAGE_SECONDS``, becomes a line on stderr.
    As a context it ends with its process.
    """

    def __init__(self, root: Path, stage: str) -> None:
        self._root, self._stage = root, stage
        self._turn = threading.Lock()  # one question at a time
        self._ended = False
        # forked, it is ready without an interpreter of its own; this early there are no threads
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(root, stage, self._here, there), daemon=True
        )
        try:
            with interrupts_held():
                self._process.start()
        except OSError as error:
            self._here.close()
            warn(tracking_uri(root), stage, reason(error))
        there.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._here.close()
        if self._process.pid:
            self._process.kill()
            self._process.join()

    def prepare(self) -> None:
        """Let the process open the tracking store, and make it where there is none."""
        with suppress(OSError):  # what is wrong is said when something is asked
            self._here.send(["prepare"])

    @contextmanager
    def live(self, params: Mapping[str, Any], fingerprint: str) -> Iterator["Observer"]:
        """Track a grid, which ``grid_fingerprint`` identifies, while it trains.

        The stage's run, and a child for each point that starts, are created or, where an earlier
        attempt was killed, adopted; a block that fails leaves them marked as failed. After the
        block ``publish`` completes them from the finished files.
        """
        from convscope.tracking.observer import Observer
        from convscope.tracking.records import Record, Times, flatten

        record = Record(
            self._stage,
            self._stage,
            fingerprint,
            params=flatten(params),
            times=Times.from_now(),
        )
        # its thread may wait: busy processors keep the process waiting for minutes
        observer = Observer(record, lambda news: self._ask(None, "write", record, news))
        try:
            yield observer
        except BaseException as error:
            observer.fail("FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        observer.close()

    def publish(self) -> "Published | None":
        """Bring the stage, which has written its files, into MLflow; None if that failed."""
        published: Published | None = self._ask(STAGE_SECONDS, "publish")
        return published

    def _ask(self, seconds: float | None, *question: Any) -> Any:
        """The process's answer; None, and a warning the first time, if there is none.

        A process that does not answer within so many seconds is ended.
        """
        until = None if seconds is None else time.monotonic() + seconds
        try:
            if not self._turn.acquire(timeout=-1 if seconds is None else seconds):
                raise TimeoutError
            try:
                self._here.send(question)
                if not self._here.poll(until and until - time.monotonic()):
                    raise TimeoutError
                answer, failure = self._here.recv()
            finally:
                self._turn.release()
        except TimeoutError:
            self._process.kill()
            answer, failure = None, f"no answer within {seconds:g} seconds"
        except (EOFError, OSError, TypeError):  # the last where it was closed in this moment
            answer, failure = None, "the process that tracks has been killed"
        if failure and not self._ended:  # what was still to be written live has been published
            warn(tracking_uri(self._root), self._stage, failure)
        return answer


def _serve(root: Path, stage: str, parents: Connection, here: Connection) -> None:
    """The process: answer what is asked, until the other end of the connection is closed."""
    parents.close()  # or it would never be closed
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # of a whole group: it ends with the stage
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    from convscope.tracking import service

    service.serve(root, stage, here)
