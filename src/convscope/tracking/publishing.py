"""Finished stages -> MLflow, as often as you like: each stage's run is made once."""

from dataclasses import dataclass
from pathlib import Path

from convscope.base.errors import UserError
from convscope.tracking.finished import Record, finished_stages, read_stage
from convscope.tracking.runs import StageRuns
from convscope.tracking.server import Store, connect, failure, publish_lock, warn, within

STAGE_SECONDS = 60.0


@dataclass(frozen=True)
class Published:
    """What publishing did with one stage.

    ``action`` is created, completed (a run that was partial or outdated) or unchanged.
    """

    stage: str
    fingerprint: str
    run_id: str
    action: str


def publish(root: Path) -> list[Published]:
    """Bring every finished stage into MLflow; afterwards each has one complete run.

    Raises:
        UserError: A folder is damaged, or the tracking server cannot be used; publishing again
            goes on from there.
    """
    try:
        return _publish_all(root, finished_stages(root))
    except UserError:
        raise
    except Exception as error:
        # MLflow, requests, SQLAlchemy and the file lock each have errors of their own.
        raise UserError(failure(root, "finished stages", error)) from None


def publish_stage(root: Path, stage: str) -> Published | None:
    """Bring one stage that has written its files into MLflow, from within that stage.

    It never fails the stage: whatever goes wrong, or takes longer than ``STAGE_SECONDS``, becomes
    one line on stderr, unless live tracking has already warned, and None is returned.
    """
    try:
        return within(STAGE_SECONDS, lambda: _publish_all(root, [stage]))[0]
    except Exception as error:
        warn(root, stage, error)
        return None


def _publish_all(root: Path, stages: list[str]) -> list[Published]:
    records = [read_stage(root, stage) for stage in stages]
    with publish_lock(root):
        store = connect(root)
        return [_publish_record(store, root, record) for record in records]


def _publish_record(store: Store, root: Path, record: Record) -> Published:
    runs = StageRuns(store, root, record)
    action = "unchanged"
    if not runs.own.is_current(record):
        action = "created" if runs.is_new else "completed"
        for each in (*record.children, record):
            run = runs.run(each)
            if not run.is_current(each):
                run.complete(each)
    return Published(record.stage, record.fingerprint, runs.own.id, action)
