"""Finished stages -> MLflow, as often as you like: each stage's run is made once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from convscope.base.errors import UserError
from convscope.tracking import runs
from convscope.tracking.finished import Record, finished_stages, read_stage
from convscope.tracking.server import Store, connect, failure, publish_lock, warn, within

STAGE_SECONDS = 60.0


@dataclass(frozen=True)
class Published:
    """What publishing did with one stage.

    Attributes:
        stage: The stage's name.
        fingerprint: The fingerprint it is published under.
        run_id: The MLflow run's id.
        action: ``created``, ``completed`` (a partial or outdated run) or ``unchanged``.
    """

    stage: str
    fingerprint: str
    run_id: str
    action: Literal["created", "completed", "unchanged"]


def publish(root: Path) -> list[Published]:
    """Bring every finished stage into MLflow.

    Args:
        root: The project folder.

    Returns:
        What was done, stage by stage. Afterwards each stage has one complete run.

    Raises:
        UserError: A folder is damaged, or the tracking server cannot be used. What was published
            until then stays, and publishing again goes on from there.
    """
    try:
        return _publish_all(root, finished_stages(root))
    except UserError:
        raise
    except Exception as error:
        # MLflow, requests, SQLAlchemy and the file lock each have errors of their own.
        raise UserError(failure(root, "finished stages", error)) from None


def publish_stage(root: Path, stage: str) -> Published | None:
    """Bring one stage into MLflow, from within that stage.

    It never fails the stage: whatever goes wrong, or takes longer than ``STAGE_SECONDS``, becomes
    one line on stderr. A stage whose live tracking has already warned is not warned of again.

    Args:
        root: The project folder.
        stage: The name of a stage that has written its files.

    Returns:
        What was done, or None where it failed.
    """
    try:
        return within(STAGE_SECONDS, lambda: _publish_all(root, [stage]))[0]
    except Exception as error:
        warn(root, stage, error)
        return None


def _publish_all(root: Path, stages: list[str]) -> list[Published]:
    """Publish some stages over one connection, while no other process does."""
    records = [read_stage(root, stage) for stage in stages]
    with publish_lock(root):
        store = connect(root)
        return [_publish_record(store, root, record) for record in records]


def _publish_record(store: Store, root: Path, record: Record) -> Published:
    """Find or create a stage's run and complete it, its points first."""
    found = runs.find(store, record.stage, record.fingerprint)
    run = found or runs.create(store, root, record)
    action: Literal["created", "completed", "unchanged"] = "completed" if found else "created"
    if runs.is_current(run, record):
        action = "unchanged"
    else:
        _complete_children(store, root, run.info.run_id, record)
        runs.complete(store, run, record)
    return Published(record.stage, record.fingerprint, run.info.run_id, action)


def _complete_children(store: Store, root: Path, parent_id: str, record: Record) -> None:
    """Complete the runs of a training stage's points."""
    found = runs.find_children(store, parent_id) if record.children else {}
    for point in record.children:
        run = found.get(point.fingerprint) or runs.create(store, root, point, parent_id)
        if not runs.is_current(run, point):
            runs.complete(store, run, point)
