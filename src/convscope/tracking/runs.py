"""MLflow runs: found by their tags, created, adopted and completed."""

import json
import time
from collections.abc import Iterable, Mapping
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from convscope.tracking.finished import Record, epoch_keys
from convscope.tracking.provenance import provenance
from convscope.tracking.server import Store

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

PARENT = "mlflow.parentRunId"
COMPLETE = "complete"

# MLflow's limits: characters of a parameter and of a data set's digest; entries of one batch.
_PARAM_LENGTH = 6000
_DIGEST_LENGTH = 36
_METRICS_A_BATCH = 500
_TEXTS_A_BATCH = 100


def find(store: Store, stage: str, fingerprint: str) -> "Run | None":
    """The run of a stage: a complete one if there is any, else the oldest."""
    condition = f"tags.stage = '{stage}' and tags.fingerprint = '{fingerprint}'"
    return _preferred(_search(store, condition)).get(fingerprint)


def find_children(store: Store, parent_id: str) -> "dict[str, Run]":
    """The runs of a training stage's points, by fingerprint."""
    return _preferred(_search(store, f"tags.`{PARENT}` = '{parent_id}'"))


def create(store: Store, root: Path, record: Record, parent_id: str | None = None) -> "Run":
    """Start a run with the tags that it is found by, so that a killed one is adopted."""
    tags = {"stage": record.stage, "fingerprint": record.fingerprint, **provenance(root)}
    tags["mlflow.source.name"] = "convscope"
    if parent_id is not None:
        tags[PARENT] = parent_id
    return store.client.create_run(store.experiment_id, tags=tags, run_name=record.name)


def is_complete(run: "Run") -> bool:
    """Whether everything has been logged."""
    return run.data.tags.get(COMPLETE) == "true"


def is_current(run: "Run", record: Record) -> bool:
    """Whether a run is complete and its artifacts are those of the finished folders."""
    return is_complete(run) and run.data.tags.get("files") == record.files_digest


def complete(store: Store, run: "Run", record: Record) -> None:
    """Log what a run lacks of its record, then mark it complete.

    Epochs and parameters that are there stay; a file replaces its artifact, so that an upload
    that was cut short is mended.

    Args:
        store: The tracking store.
        run: The run, new or partial.
        record: What it is to hold.
    """
    run_id = run.info.run_id
    client = store.client
    metrics = _missing_epochs(store, run, record)
    metrics += [
        metric(key, value)
        for key, value in record.metrics.items()
        if run.data.metrics.get(key) != value
    ]
    tags = {**record.tags, **_changed_params(run, record.params)}
    log(store, run_id, metrics, missing_params(run, record.params), tags)
    _log_dataset(store, run, record)
    for path, folder in record.files:
        client.log_artifact(run_id, str(path), folder or None)
    client.set_terminated(run_id, "FINISHED")
    log(store, run_id, tags={"files": record.files_digest, COMPLETE: "true"})


def log(
    store: Store,
    run_id: str,
    metrics: "Iterable[Metric]" = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log in as few requests as MLflow's limits allow."""
    from mlflow.entities import Param, RunTag

    numbers = list(metrics)
    param_list = [Param(key, _fit(value)) for key, value in (params or {}).items()]
    tag_list = [RunTag(key, value) for key, value in (tags or {}).items()]
    batches = max(
        ceil(len(numbers) / _METRICS_A_BATCH),
        ceil(len(param_list) / _TEXTS_A_BATCH),
        ceil(len(tag_list) / _TEXTS_A_BATCH),
    )
    for i in range(batches):
        texts = slice(i * _TEXTS_A_BATCH, (i + 1) * _TEXTS_A_BATCH)
        part = numbers[i * _METRICS_A_BATCH : (i + 1) * _METRICS_A_BATCH]
        store.client.log_batch(run_id, part, param_list[texts], tag_list[texts])


def metric(key: str, value: float, step: int = 0) -> "Metric":
    """A metric as of now."""
    from mlflow.entities import Metric

    return Metric(key, float(value), int(time.time() * 1000), step)


def epoch_metrics(row: Mapping[str, float]) -> "list[Metric]":
    """The metrics of one epoch; the step is the epoch."""
    return [metric(key, row[key], int(row["epoch"])) for key in epoch_keys(row)]


def logged_epochs(store: Store, run: "Run", key: str) -> set[int]:
    """The epochs that a run has of one metric."""
    if key not in run.data.metrics:
        return set()
    return {entry.step for entry in store.client.get_metric_history(run.info.run_id, key)}


def missing_params(run: "Run", params: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a run does not have yet."""
    return {key: value for key, value in params.items() if key not in run.data.params}


def _changed_params(run: "Run", params: Mapping[str, str]) -> dict[str, str]:
    """A tag for parameters that have changed without changing the results.

    MLflow's parameters cannot be replaced; the order of a grid's values is an example.
    """
    logged = run.data.params
    changed = {
        key: value for key, value in params.items() if key in logged and logged[key] != _fit(value)
    }
    return {"changed_params": json.dumps(changed)} if changed else {}


def _missing_epochs(store: Store, run: "Run", record: Record) -> "list[Metric]":
    """The metrics of the epochs that a run does not have yet."""
    missing = []
    for key in epoch_keys(record.epochs[0]) if record.epochs else ():
        logged = logged_epochs(store, run, key)
        epochs = ((int(row["epoch"]), row[key]) for row in record.epochs)
        missing += [metric(key, value, epoch) for epoch, value in epochs if epoch not in logged]
    return missing


def _log_dataset(store: Store, run: "Run", record: Record) -> None:
    """Name the data set as the run's input, once."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    if record.dataset is None or (run.inputs and run.inputs.dataset_inputs):
        return
    url = str(record.dataset.get("url") or "")
    described = Dataset(
        name=str(record.dataset["name"]),
        digest=str(record.dataset["fingerprint"])[:_DIGEST_LENGTH],
        source_type="http" if url.startswith("http") else "local",
        source=json.dumps({"url": url} if url.startswith("http") else {"uri": url}),
        profile=json.dumps({key: record.dataset.get(key) for key in ("md5", "fingerprint")}),
    )
    context = InputTag("mlflow.data.context", "training" if record.epochs else "evaluation")
    store.client.log_inputs(run.info.run_id, [DatasetInput(described, [context])])


def _search(store: Store, condition: str) -> "list[Run]":
    """All runs that meet a condition, the oldest first."""
    found: list[Run] = []
    token = None
    while True:
        page = store.client.search_runs(
            [store.experiment_id],
            condition,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        found += page
        token = page.token
        if not token:
            return found


def _preferred(found: "list[Run]") -> "dict[str, Run]":
    """One run for each fingerprint: the first complete one, else the first."""
    chosen: dict[str, Run] = {}
    for run in sorted(found, key=is_complete, reverse=True):
        chosen.setdefault(run.data.tags.get("fingerprint", ""), run)
    return chosen


def _fit(value: str) -> str:
    """A parameter cut to what MLflow takes; params.json among the artifacts has it whole."""
    return value if len(value) <= _PARAM_LENGTH else value[: _PARAM_LENGTH - 3] + "..."
