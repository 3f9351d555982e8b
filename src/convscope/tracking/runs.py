"""The one writer of MLflow runs: each is found again or created, then given what it lacks."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.tracking import images
from convscope.tracking.finished import outputs
from convscope.tracking.ownership import project_id
from convscope.tracking.provenance import provenance, source
from convscope.tracking.records import POINT, Record
from convscope.tracking.server import NOTE, Store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"
COMPLETE = "complete"

# MLflow's limits: characters of a parameter and of a data set's digest; runs of one search
_PARAM_LENGTH = 6000
_DIGEST_LENGTH = 36
_RUNS_A_SEARCH = 50_000

# a metric's name, its value and its step
_Number = tuple[str, float, int]


class MlflowRun:
    """One run in MLflow: knows what it holds already, and adds only what is missing."""

    def __init__(self, client: "MlflowClient", run: "Run") -> None:
        self._client = client
        self.id = run.info.run_id
        self.status = run.info.status
        self.tags = run.data.tags
        self.is_deleted = run.info.lifecycle_stage == "deleted"
        self._params = dict(run.data.params)
        self._metrics = dict(run.data.metrics)
        self._steps: dict[str, set[int]] = {}
        self._has_dataset = bool(run.inputs and run.inputs.dataset_inputs)

    @property
    def is_complete(self) -> bool:
        """Whether everything has been logged."""
        return self.tags.get(COMPLETE) == "true"

    def is_current(self, record: Record) -> bool:
        """Whether the run is complete and its artifacts are the record's files."""
        return self.is_complete and self.tags.get("files") == record.files_digest

    def restore(self) -> None:
        """Take back that the run was deleted."""
        self._client.restore_run(self.id)
        self.is_deleted = False

    def log(self, record: Record) -> None:
        """Log what the run lacks of a record, which may be partial and come again.

        MLflow's parameters cannot be replaced: those that change without changing the results,
        such as the order of a grid's values, become a tag.
        """
        params = {key: _fit(text) for key, text in record.params.items()}
        new = {key: text for key, text in params.items() if key not in self._params}
        changed = [key for key in params if self._params.get(key, params[key]) != params[key]]
        tags = dict(record.tags)
        if changed:
            tags["changed_params"] = json.dumps({key: record.params[key] for key in changed})
        if record.description and NOTE not in self.tags:  # what a user wrote there stays
            tags[NOTE] = record.description
        metrics = record.metrics.items()
        numbers = [(key, value, 0) for key, value in metrics if self._metrics.get(key) != value]
        self._send([*self._missing_steps(record), *numbers], new, tags)
        self._params |= params
        self._metrics |= record.metrics

    def mark(self, status: str) -> None:
        """Set the status, unless the run is complete: that one is finished already."""
        if self.is_complete or status == self.status:
            return
        if status == "RUNNING":
            self._client.update_run(self.id, status=status)
        else:
            self._client.set_terminated(self.id, status)
        self.status = status

    def complete(self, record: Record) -> None:
        """Log all that the run lacks of a finished stage's record, then mark it complete.

        A file replaces its artifact, so that an upload that was cut short is mended.
        """
        self.log(record)
        if record.dataset is not None and not self._has_dataset:
            self._log_dataset(record.dataset, "training" if record.net else "evaluation")
        for path, folder in record.files:
            self._client.log_artifact(self.id, str(path), folder or None)
        images.log(self._client, self.id, record, again="files" in self.tags)
        self._client.set_terminated(
            self.id, "FINISHED", end_time=record.times.ended if record.times else None
        )
        self._send([], {}, {"files": record.files_digest, COMPLETE: "true"})

    def _missing_steps(self, record: Record) -> list[_Number]:
        """The steps of the record's series that the run does not have yet."""
        missing = []
        for key, values in record.series.items():
            if key not in self._steps:
                known = key in self._metrics
                history = self._client.get_metric_history(self.id, key) if known else ()
                self._steps[key] = {entry.step for entry in history}
            new = [step for step in values if step not in self._steps[key]]
            missing += [(key, values[step], step) for step in new]
            self._steps[key].update(new)
        return missing

    def _log_dataset(self, dataset: Mapping[str, Any], context: str) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        url = str(dataset.get("url") or "")
        kind, key = ("http", "url") if url.startswith("http") else ("local", "uri")
        described = Dataset(
            name=str(dataset["name"]),
            digest=str(dataset["fingerprint"])[:_DIGEST_LENGTH],
            source_type=kind,
            source=json.dumps({key: url}),
            profile=json.dumps({key: dataset.get(key) for key in ("md5", "fingerprint")}),
        )
        used = DatasetInput(described, [InputTag("mlflow.data.context", context)])
        self._client.log_inputs(self.id, [used])

    def _send(
        self, numbers: list[_Number], params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Log all at once; MLflow makes as many requests of it as its limits need."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        self._client.log_batch(
            self.id,
            [Metric(key, float(value), now, step) for key, value, step in numbers],
            [Param(key, text) for key, text in params.items()],
            [RunTag(key, text) for key, text in tags.items()],
        )


class StageRuns:
    """The MLflow runs of one stage: its own, and below it those of the points that it trains.

    A run that this project folder left before is adopted, one that was deleted is restored; where
    there is none, one is created. Open them under ``publish_lock``, with the stage's own record,
    which may be partial.
    """

    def __init__(self, store: Store, root: Path, stage: Record) -> None:
        self._store = store
        self._project = project_id(root)
        made = outputs(root, stage.stage) if stage.files else ()  # of a grid in training: before
        self._provenance = {**source(stage.stage), **provenance(root, made)}
        found = self._search(
            f"tags.project = '{self._project}' and tags.stage = '{stage.stage}' "
            f"and tags.fingerprint = '{stage.fingerprint}'"
        )
        self.is_new = not found
        self.changed = self.is_new
        self._runs = found
        self.own = self.run(stage)
        if not self.is_new:
            points = self._search(f"tags.`{PARENT}` = '{self.own.id}'")
            self._runs = {**points, stage.fingerprint: self.own}

    def run(self, record: Record) -> MlflowRun:
        """The run of the stage's own record, or of a point's."""
        run = self._runs.get(record.fingerprint)
        if run is None:
            run = self._runs[record.fingerprint] = self._create(record)
            self.changed = True
        elif run.is_deleted:
            run.restore()
            self.changed = True
        return run

    def complete(self, record: Record) -> None:
        """Give the run of a record what it lacks, if anything."""
        run = self.run(record)
        if not run.is_current(record):
            run.complete(record)
            self.changed = True

    def mark_killed(self) -> None:
        """Mark the runs that have not ended."""
        for run in self._runs.values():
            if run.status == "RUNNING":
                run.mark("KILLED")

    def _create(self, record: Record) -> MlflowRun:
        """Start a run with the tags that it is found by, so that a killed one is adopted."""
        tags = {
            "project": self._project,
            "stage": record.stage,
            "fingerprint": record.fingerprint,
            "kind": record.kind,
            **({"net": record.net} if record.net else {}),
            **self._provenance,
            **({PARENT: self.own.id} if record.kind == POINT else {}),
        }
        run = self._store.client.create_run(
            self._store.experiment_id,
            start_time=record.times.began if record.times else None,
            tags=tags,
            run_name=record.name,
        )
        return MlflowRun(self._store.client, run)

    def _search(self, condition: str) -> dict[str, MlflowRun]:
        """One run for each fingerprint: one not deleted, else one complete, else the first."""
        from mlflow.entities import ViewType

        client = self._store.client
        found = client.search_runs(
            [self._store.experiment_id],
            condition,
            ViewType.ALL,
            max_results=_RUNS_A_SEARCH,
            order_by=["attributes.start_time DESC"],
        )
        runs = sorted(
            (MlflowRun(client, run) for run in found),
            key=lambda run: (not run.is_deleted, run.is_complete),
        )
        # of several with the same fingerprint the last one stays
        return {run.tags.get("fingerprint", ""): run for run in runs}


def _fit(text: str) -> str:
    """A parameter cut to what MLflow takes; params.json among the artifacts has all of it."""
    return text if len(text) <= _PARAM_LENGTH else text[: _PARAM_LENGTH - 3] + "..."
