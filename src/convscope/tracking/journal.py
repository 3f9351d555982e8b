"""One grid's MLflow runs while it trains."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.tracking import runs
from convscope.tracking.finished import Record, point_params
from convscope.tracking.server import connect, publish_lock

if TYPE_CHECKING:
    from mlflow.entities import Run


class Journal:
    """Writes the events of a training grid to MLflow, each call a request or a few.

    Opening one creates the stage's run, or adopts the one that a killed attempt has left.

    Args:
        root: The project folder.
        record: The training stage: its name, fingerprint and parameters.

    Raises:
        Exception: Any method raises what MLflow raises when the server cannot be used.
    """

    def __init__(self, root: Path, record: Record) -> None:
        self._root = root
        self._stage = record.stage
        self._points: dict[str, Run] = {}
        self._epochs: dict[str, set[int]] = {}
        with publish_lock(root):
            self._store = connect(root)
            found = runs.find(self._store, record.stage, record.fingerprint)
            self._parent = self._open(found, record)
        parent_id = self._parent.info.run_id
        self._known = runs.find_children(self._store, parent_id) if found else {}

    def start(self, run_id: str, run: Mapping[str, Any]) -> None:
        """Create, or adopt, the run of a point that starts to train."""
        params = point_params(run)
        record = Record(self._stage, run_id, run["fingerprint"], params=params)
        found = self._known.get(record.fingerprint)
        point = self._open(found, record, self._parent.info.run_id)
        self._points[run_id] = point
        self._epochs[run_id] = runs.logged_epochs(self._store, point, "loss")

    def log_epochs(self, run_id: str, rows: Iterable[Mapping[str, float]]) -> None:
        """Log those epochs of a point that its run does not have yet, in one request."""
        new = {int(row["epoch"]): row for row in rows if row["epoch"] not in self._epochs[run_id]}
        metrics = [metric for row in new.values() for metric in runs.epoch_metrics(row)]
        runs.log(self._store, self._points[run_id].info.run_id, metrics)
        self._epochs[run_id] |= new.keys()

    def finish(self, run_id: str) -> None:
        """End the run of a point that has finished training."""
        self._end(self._points.pop(run_id), "FINISHED")

    def end(self, status: str) -> None:
        """Give ``status`` to the stage's run and to those of the points still in training."""
        for run in [*self._points.values(), self._parent]:
            self._end(run, status)

    def _open(self, found: "Run | None", record: Record, parent_id: str | None = None) -> "Run":
        """Adopt what was found, or create a run; either way with its parameters."""
        run = found or runs.create(self._store, self._root, record, parent_id)
        if found and not runs.is_complete(found):
            self._store.client.update_run(found.info.run_id, status="RUNNING")
        missing = runs.missing_params(run, record.params)
        runs.log(self._store, run.info.run_id, params=missing)
        return run

    def _end(self, run: "Run", status: str) -> None:
        """Set the status of a run, unless it is complete: that one is finished already."""
        if not runs.is_complete(run):
            self._store.client.set_terminated(run.info.run_id, status)
