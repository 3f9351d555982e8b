"""Finished stages -> MLflow, as often as you like: each stage's run is made once."""

from dataclasses import dataclass
from pathlib import Path

from convscope.base.errors import UserError
from convscope.tracking import descriptions, models
from convscope.tracking.failures import failure, reason
from convscope.tracking.finished import finished_stages, read_stage
from convscope.tracking.records import Record
from convscope.tracking.runs import StageRuns
from convscope.tracking.server import NOTE, Store, connect, publish_lock, tracking_uri


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
        return publish_stages(root, finished_stages(root))
    except UserError:
        raise
    except Exception as error:
        # MLflow, requests, SQLAlchemy and the file lock each have errors of their own.
        raise UserError(failure(tracking_uri(root), "finished stages", reason(error))) from None


def publish_stages(
    root: Path, stages: list[str], register: models.Register = models.register
) -> list[Published]:
    """The same for some finished stages; what MLflow raises is passed on."""
    records = [read_stage(root, stage) for stage in stages]
    with publish_lock(root):
        store = connect(root)
        published = [_publish_record(store, root, record) for record in records]
    for each in published:
        if each.stage == models.STAGE:
            register(store, root, each.run_id)
    return published


def _publish_record(store: Store, root: Path, record: Record) -> Published:
    runs = StageRuns(store, root, record)
    for each in (*record.children, record):
        runs.complete(each)
    if record.stage == "evaluate" and runs.changed:
        _describe_experiment(store, record)
    action = "created" if runs.is_new else "completed" if runs.changed else "unchanged"
    return Published(record.stage, record.fingerprint, runs.own.id, action)


def _describe_experiment(store: Store, evaluate: Record) -> None:
    """Say above an experiment's runs what was measured last; what a user wrote there stays."""
    said = store.client.get_experiment(store.experiment_id).tags.get(NOTE, "")
    if not said or said.startswith(descriptions.EXPERIMENT):
        text = descriptions.of_experiment(evaluate.metrics, evaluate.tags.get("data", "other data"))
        store.client.set_experiment_tag(store.experiment_id, NOTE, text)
