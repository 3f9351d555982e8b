"""What the process of a ``Tracker`` does: MLflow's part of tracking one stage."""

import gc
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from convscope.tracking.failures import reason
from convscope.tracking.models import register_later
from convscope.tracking.observer import News
from convscope.tracking.publishing import Published, publish_stages
from convscope.tracking.records import Record
from convscope.tracking.runs import StageRuns
from convscope.tracking.server import connect, import_mlflow, import_store, publish_lock


def serve(root: Path, stage: str, questions: Connection) -> None:
    """Answer questions about a stage until their other end is closed.

    A question is the name of a method of ``_Service`` and its arguments; an answer is what that
    returns and None, or None and why it failed. To ``prepare`` there is none. What still runs when
    the other end is closed was killed with the stage, and is marked so.
    """
    service = _Service(root, stage)
    with suppress(Exception):  # why it cannot be imported is the answer to each question
        import_mlflow()
        import_store(root)
    gc.freeze()
    gc.enable()  # the stage has it off while it imports
    # its death is the end of the connection, or breaks it, while it waits for an answer
    with suppress(EOFError, OSError):
        while True:
            action, *arguments = questions.recv()
            answer = failure = None
            try:
                answer = getattr(service, action)(*arguments)
            except Exception as error:
                # MLflow, requests, SQLAlchemy and the file lock each have errors of their own
                failure = reason(error)
            if action != "prepare":
                questions.send((answer, failure))
    with suppress(Exception):  # there is nobody left to tell
        service.end()


class _Service:
    """What the process does when it is asked."""

    def __init__(self, root: Path, stage: str) -> None:
        self._root, self._stage = root, stage
        self._runs: StageRuns | None = None

    def prepare(self) -> None:
        """Open the tracking store, of which MLflow then keeps the connection."""
        with publish_lock(self._root):
            connect(self._root)

    def write(self, stage: Record, news: News) -> bool:
        """Log what is new of a grid."""
        if self._runs is None:
            with publish_lock(self._root):
                self._runs = StageRuns(connect(self._root), self._root, stage)
        for record, status in news:
            run = self._runs.run(record)
            run.log(record)
            run.mark(status)
        return True

    def publish(self) -> Published:
        """Bring the finished stage into MLflow."""
        published = publish_stages(self._root, [self._stage], register_later)[0]
        self._runs = None
        return published

    def end(self) -> None:
        """Mark the runs that were live and have not ended."""
        if self._runs is not None:
            self._runs.mark_killed()
