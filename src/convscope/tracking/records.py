"""What one MLflow run is to hold, as far as it is known, under the names it has there."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from convscope.base import files, paths
from convscope.base.names import STUDY_MEASURED

STAGE, POINT = "stage", "point"
REPORT_STAGE = "report"
# the first is the one by which MLflow's page compares runs before it is asked for another
EPOCH_METRICS = ("test_accuracy", "train_accuracy", "loss", "overfit_percent")
# of a run whose best epoch is selected on held-out images, or that is tested as the study did
SOMETIMES = ("validation_accuracy", *STUDY_MEASURED)
# MLflow's page has a section of charts for each word before a slash; other stages have their name
_SECTIONS = {
    "download": "data",
    "filter-ablation": "ablation",
    "filter-identify": "filters",
    REPORT_STAGE: "claims",
}
_OF_A_GRID = "best"


class Times(NamedTuple):
    """When something began and ended, in milliseconds since 1970; None if it has not ended."""

    began: int
    ended: int | None = None

    @classmethod
    def from_now(cls) -> "Times":
        """Those of what begins now."""
        return cls(round(1000 * time.time()))


@dataclass(frozen=True)
class Record:
    """What one MLflow run is to hold: all of it, or while the run trains what is known by then.

    ``stage``, such as ``train@net1``, and ``fingerprint`` are its identity.

    Attributes:
        name: What the MLflow run is called: the stage's name, or a point's run id.
        kind: ``STAGE`` or ``POINT``.
        params: What ``flatten`` makes of the parameters.
        series: Metrics of several steps: by name, the value at each epoch or window size.
        files: Tables, figures and pages, each with the artifact folder it goes to.
        dataset: The contents of dataset.json, where known.
        description: Two sentences with the headline numbers.
        times: None if unknown.
        children: The points of a training stage.
    """

    stage: str
    name: str
    fingerprint: str
    kind: str = STAGE
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    files: tuple[tuple[Path, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    dataset: Mapping[str, Any] | None = None
    description: str = ""
    times: Times | None = None
    children: tuple["Record", ...] = ()

    @property
    def net(self) -> str | None:
        """The network that the stage trains."""
        return paths.net_of(self.stage)

    @property
    def files_digest(self) -> str:
        """A SHA-256 over the names and bytes of ``files``."""
        return hash_files(path for path, _ in self.files)


def section(stage: str) -> str:
    """What is before the slash in the names of a stage's metrics: ``occlusion``, ``best``."""
    return _OF_A_GRID if paths.net_of(stage) else _SECTIONS.get(stage, stage)


def metrics(stage: str, values: Mapping[str, Any]) -> dict[str, float]:
    """The entries that are numbers, which True and False are not, under their names in MLflow."""
    return {f"{section(stage)}/{key}": value for key, value in numbers(values).items()}


def best_metrics(run: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a run's best epoch and the size of its network, from its run.json."""
    best = {**run.get("best", {}), "total_parameters": run.get("total_parameters")}
    return {f"{_OF_A_GRID}/{key}": value for key, value in numbers(best).items()}


def epoch_series(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """The metrics of epochs, of which each row of a history.csv is one."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        for key in (*EPOCH_METRICS, *(key for key in row if key in SOMETIMES)):
            found.setdefault(f"epoch/{key}", {})[int(row["epoch"])] = float(row[key])
    return found


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The entries that are numbers, which True and False are not."""
    return {key: float(value) for key, value in values.items() if type(value) in (int, float)}


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested parameters as MLflow stores them: keys joined by dots, lists and numbers as JSON."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value)
    return flat


def point_params(run: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a point's MLflow run, from the contents of its run.json."""
    settings = flatten(run.get("settings", {}), "settings.")
    return {"net": str(run["net"])} | flatten(run["point"]) | settings


def grid_fingerprint(fingerprints: list[str]) -> str:
    """The fingerprint of a training stage, from those of its runs in any order."""
    return hashlib.sha256("\n".join(sorted(fingerprints)).encode()).hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """A SHA-256 over the names and bytes of files."""
    state = hashlib.sha256()
    for path in paths:
        state.update(f"{path.name}\0{files.digest(path, 'sha256')}\n".encode())
    return state.hexdigest()
