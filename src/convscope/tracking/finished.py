"""Finished folders -> what their MLflow runs are to hold; knows nothing of MLflow."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convscope.base import paths
from convscope.base.errors import UserError
from convscope.base.files import digest, read_csv, read_json
from convscope.base.timings import TIMINGS

EPOCH_METRICS = ("loss", "train_accuracy", "test_accuracy", "overfit_percent")
# of a run whose best epoch held-out images choose
SELECTING = "validation_accuracy"
REPORT_STAGE = "report"
REPORT_FILES = ("report.html", "report.md", "claims.json")


@dataclass(frozen=True)
class Record:
    """All that one MLflow run is to hold.

    Attributes:
        stage: The stage's name, such as ``train@net1`` or ``occlusion``.
        name: What the MLflow run is called: the stage's name, or a point's run id.
        fingerprint: With ``stage``, the identity of the run.
        params: Parameters, nested keys joined by dots.
        metrics: Final numbers.
        epochs: One mapping an epoch, with the key ``epoch`` and those of ``epoch_keys``.
        files: Tables, figures and pages, each with the artifact folder it goes to.
        tags: Further tags.
        dataset: ``name``, ``url``, ``md5`` and ``fingerprint`` of the data set, where known.
        children: The points of a training stage.
    """

    stage: str
    name: str
    fingerprint: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: tuple[Mapping[str, float], ...] = ()
    files: tuple[tuple[Path, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    dataset: Mapping[str, Any] | None = None
    children: tuple["Record", ...] = ()

    @property
    def files_digest(self) -> str:
        """A hash of the names and bytes of ``files``."""
        return _hash_files(path for path, _ in self.files)


def grid_fingerprint(fingerprints: list[str]) -> str:
    """The fingerprint of a training stage, known before it trains.

    Args:
        fingerprints: Those of the grid's runs, in any order.

    Returns:
        A hexadecimal SHA-256.
    """
    return hashlib.sha256("\n".join(sorted(fingerprints)).encode()).hexdigest()


def fingerprint(root: Path, stage: str) -> str:
    """The fingerprint under which a finished stage is published.

    Args:
        root: The project folder.
        stage: The stage's name.

    Returns:
        ``grid_fingerprint`` of a training stage's runs; for any other stage a hash of the names
        and bytes of the files in its folder.

    Raises:
        UserError: The stage has not finished.
    """
    _require_finished(root, stage)
    if _trains(stage):
        return grid_fingerprint([run["fingerprint"] for _, run in _grid_runs(root, stage)])
    return _hash_files(_stage_files(root, stage))


def finished_stages(root: Path) -> list[str]:
    """The names of the stages whose folders are complete, in alphabetical order."""
    reports = root / paths.REPORTS
    trained = [paths.stage_of(path.name) for path in (reports / "train").glob("[a-z]*/")]
    others = [path.name for path in reports.glob("[a-z]*/") if path.name != "train"]
    stages = [*trained, *others, REPORT_STAGE]
    return sorted(stage for stage in stages if _missing(root, stage) is None)


def read_stage(root: Path, stage: str) -> Record:
    """Read a finished stage's folders.

    Args:
        root: The project folder.
        stage: The stage's name.

    Returns:
        What its MLflow run is to hold; for a training stage with one child for each point.

    Raises:
        UserError: The stage has not finished, or one of its files is damaged.
    """
    _require_finished(root, stage)
    seconds = _timings(root)
    shared: dict[str, Any] = {"stage": stage, "dataset": _dataset(root)}
    paths = _stage_files(root, stage)
    files = [(path, "") for path in paths]
    params, metrics = _params_and_metrics(root, stage)
    children: tuple[Record, ...] = ()
    if _trains(stage):
        models = _models(root, stage)
        metrics |= best_metrics(read_json(models / "best.json", stage))
        files += [(models / name, "models") for name in ("history.csv", "best.json")]
        children = tuple(
            _point(folder, run, shared, seconds) for folder, run in _grid_runs(root, stage)
        )
        identity = grid_fingerprint([point.fingerprint for point in children])
    else:
        identity = _hash_files(paths)
    return Record(
        **shared,
        name=stage,
        fingerprint=identity,
        params=params,
        metrics=metrics | _seconds(seconds, identity),
        files=tuple(files),
        children=children,
    )


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested parameters as MLflow stores them: keys joined by dots, values as JSON text.

    Strings stay as they are; lists stay one value.
    """
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


def epoch_keys(names: Iterable[Any]) -> list[str]:
    """The metrics of an epoch, given the columns of a history, or the keys of one of its rows."""
    return [*EPOCH_METRICS, *(name for name in names if name == SELECTING)]


def best_metrics(run: Mapping[str, Any]) -> dict[str, float]:
    """The size of a run's network and the numbers of its best epoch, as ``best.*``."""
    best = _numbers({f"best.{key}": value for key, value in run.get("best", {}).items()})
    return best | _numbers({"total_parameters": run.get("total_parameters")})


def _point(
    folder: Path, run: Mapping[str, Any], shared: Mapping[str, Any], seconds: Mapping[str, float]
) -> Record:
    """The record of one point of a grid, from its run folder."""
    history = read_csv(folder / "history.csv", shared["stage"])
    epochs = history[["epoch", *epoch_keys(history)]].to_dict("records")
    weights = folder / "best.safetensors"
    return Record(
        **shared,
        name=folder.name,
        fingerprint=run["fingerprint"],
        params=point_params(run),
        metrics=best_metrics(run) | _seconds(seconds, run["fingerprint"]),
        epochs=tuple({str(key): float(value) for key, value in row.items()} for row in epochs),
        files=((folder / "run.json", ""), (folder / "history.csv", "")),
        tags={"weights_md5": digest(weights)} if weights.exists() else {},
    )


def _grid_runs(root: Path, stage: str) -> list[tuple[Path, dict[str, Any]]]:
    """The grid's run folders, each with its run.json."""
    paths = sorted(_models(root, stage).glob("runs/*/run.json"))
    return [(path.parent, read_json(path, stage)) for path in paths]


def _params_and_metrics(root: Path, stage: str) -> tuple[dict[str, str], dict[str, float]]:
    """A stage's own parameters and final numbers; the report has neither."""
    if stage == REPORT_STAGE:
        return {}, {}
    folder = _report(root, stage)
    params = flatten(read_json(folder / "params.json", stage))
    return params, _numbers(read_json(folder / "metrics.json", stage))


def _dataset(root: Path) -> dict[str, Any] | None:
    """The data set as the stage download described it."""
    path = root / paths.REPORTS / "download" / "dataset.json"
    return dict(read_json(path, "download")) if path.exists() else None


def _timings(root: Path) -> dict[str, float]:
    """Seconds by fingerprint; the log is only informative, so a damaged one counts as absent."""
    try:
        log = read_csv(root / TIMINGS, "")
        return dict(zip(log["fingerprint"].astype(str), log["seconds"].astype(float), strict=True))
    except (UserError, KeyError, ValueError):
        return {}


def _seconds(timings: Mapping[str, float], identity: str) -> dict[str, float]:
    """The metric ``seconds``, where the log knows it."""
    return {"seconds": timings[identity]} if identity in timings else {}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The entries that are numbers."""
    return {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _trains(stage: str) -> bool:
    """Whether a stage trains a grid."""
    return paths.net_of(stage) is not None


def _models(root: Path, stage: str) -> Path:
    """A training stage's model folder."""
    net = paths.net_of(stage)
    assert net is not None, "a stage that trains has a network"
    return root / paths.models_of(net)


def _report(root: Path, stage: str) -> Path:
    """A stage's report folder."""
    net = paths.net_of(stage)
    return root / (paths.REPORTS / stage if net is None else paths.report_of(net))


def _stage_files(root: Path, stage: str) -> list[Path]:
    """The files that a stage leaves under reports/, sorted by name; no temporary ones."""
    if stage == REPORT_STAGE:
        pages = [root / paths.REPORTS / name for name in REPORT_FILES]
        return [page for page in pages if page.exists()]
    folder = _report(root, stage)
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def _missing(root: Path, stage: str) -> Path | None:
    """The first file that a finished stage would have and this one lacks."""
    folder = _report(root, stage)
    needed = [folder / "params.json", folder / "metrics.json"]
    if stage == REPORT_STAGE:
        needed = [root / paths.REPORTS / name for name in REPORT_FILES[:2]]
    if _trains(stage):
        models = _models(root, stage)
        needed += [models / "history.csv", models / "best.json"]
    return next((path for path in needed if not path.exists()), None)


def _require_finished(root: Path, stage: str) -> None:
    """Refuse a stage that has not finished."""
    if path := _missing(root, stage):
        raise UserError(f"stage {stage} has not finished: {path} is missing; run `dvc repro`")


def _hash_files(paths: Iterable[Path]) -> str:
    """A SHA-256 over names and bytes."""
    state = hashlib.sha256()
    for path in paths:
        state.update(f"{path.name}\0{digest(path, 'sha256')}\n".encode())
    return state.hexdigest()
