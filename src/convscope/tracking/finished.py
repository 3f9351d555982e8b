"""What the MLflow run of a finished stage is to hold, read from the stage's folders."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from convscope.base import files, paths, timings
from convscope.base.consistency import require_consistent, require_current
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished

EPOCH_METRICS = ("loss", "train_accuracy", "test_accuracy", "overfit_percent")
# of a run whose best epoch is selected on held-out images
SELECTING = "validation_accuracy"
REPORT_STAGE = "report"
REPORT_FILES = ("report.html", "report.md", "claims.json", "metrics.json")


@dataclass(frozen=True)
class Record:
    """What one MLflow run is to hold: all of it, or while the run trains what is known by then.

    ``stage``, such as ``train@net1``, and ``fingerprint`` are its identity.

    Attributes:
        name: What the MLflow run is called: the stage's name, or a point's run id.
        params: What ``flatten`` makes of the parameters.
        epochs: One mapping an epoch, with the key ``epoch`` and those of ``epoch_keys``.
        files: Tables, figures and pages, each with the artifact folder it goes to.
        dataset: The contents of dataset.json, where known.
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
        """A SHA-256 over the names and bytes of ``files``."""
        return _hash_files(path for path, _ in self.files)


def grid_fingerprint(fingerprints: list[str]) -> str:
    """The fingerprint of a training stage, from those of its runs in any order."""
    return hashlib.sha256("\n".join(sorted(fingerprints)).encode()).hexdigest()


def fingerprint(root: Path, stage: str) -> str:
    """Under which a finished stage is published: of a grid's runs, or of a folder's files.

    Raises:
        UserError: The stage has not finished.
    """
    if path := _missing(root, stage):
        raise UserError(f"stage {stage} has not finished: {path} is missing; run `dvc repro`")
    if net := paths.net_of(stage):
        return grid_fingerprint([run["fingerprint"] for _, run in grid_runs(root, net)])
    return _hash_files(_stage_files(root, stage))


def finished_stages(root: Path) -> list[str]:
    """The names of the stages whose folders are complete, in alphabetical order."""
    stages = [folder.stage for folder in Finished.all(root / paths.REPORTS)]
    return sorted(stage for stage in [*stages, REPORT_STAGE] if _missing(root, stage) is None)


def read_stage(root: Path, stage: str) -> Record:
    """What a finished stage's MLflow run is to hold.

    Raises:
        UserError: The stage has not finished, one of its files is damaged, or it was made from
            other data or runs than those that are here.
    """
    download = Finished(root / paths.REPORTS, "download")
    log = timings.read(root / timings.TIMINGS)
    seconds = {of: {"seconds": s} for of, s in zip(log["fingerprint"], log["seconds"], strict=True)}
    identity = fingerprint(root, stage)
    record = Record(
        stage,
        stage,
        identity,
        metrics=seconds.get(identity, {}),
        files=tuple((path, "") for path in _stage_files(root, stage)),
        dataset=download.json("dataset") if download.has("dataset.json") else None,
    )
    if stage == REPORT_STAGE:
        require_consistent(root / paths.REPORTS)
        return record
    folder = _folder(root, stage)
    require_current(folder)
    numbers = {**_numbers(folder.json("metrics")), **record.metrics}
    record = replace(record, params=flatten(folder.params), metrics=numbers)
    net = paths.net_of(stage)
    return _with_points(root, net, record, seconds) if net else record


def grid_runs(root: Path, net: str) -> list[tuple[Path, dict[str, Any]]]:
    """The run folders of a network's grid, each with its run.json.

    Raises:
        UserError: A run.json is damaged.
    """
    command, found = paths.command_of(f"train/{net}"), []
    for path in sorted((root / paths.models_of(net)).glob(f"runs/*/{paths.RUN}")):
        run = files.read_json(path, command)
        if not isinstance(run, dict) or "fingerprint" not in run:
            raise files.damaged(path, command, "it does not name a run's fingerprint")
        found.append((path.parent, run))
    return found


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


def epoch_keys(names: Iterable[Any]) -> list[str]:
    """The metrics of an epoch, given the columns of a history, or the keys of one of its rows."""
    return [*EPOCH_METRICS, *(name for name in names if name == SELECTING)]


def _with_points(
    root: Path, net: str, record: Record, seconds: Mapping[str, Mapping[str, float]]
) -> Record:
    models, command = root / paths.models_of(net), paths.command_of(f"train/{net}")
    points = []
    for folder, run in grid_runs(root, net):
        history = files.read_csv(folder / paths.HISTORY, command)
        rows = history[["epoch", *epoch_keys(history)]].astype(float).to_dict("records")
        weights = folder / paths.WEIGHTS
        point = Record(
            record.stage,
            folder.name,
            run["fingerprint"],
            params=point_params(run),
            metrics={**_best_metrics(run), **seconds.get(run["fingerprint"], {})},
            epochs=tuple({str(key): value for key, value in row.items()} for row in rows),
            files=((folder / paths.RUN, ""), (folder / paths.HISTORY, "")),
            tags={"weights_md5": files.digest(weights)} if weights.exists() else {},
            dataset=record.dataset,
        )
        points.append(point)
    best = files.read_json(models / paths.BEST, command)
    report = _folder(root, record.stage)
    if report.made_from.runs != {net: best.get("fingerprint")}:
        raise UserError(
            f"{report.path} was not made from what is in {models} now: run `convscope {command}` "
            "(or `dvc repro`)"
        )
    tables = tuple((models / name, "models") for name in (paths.HISTORY, paths.BEST))
    return replace(
        record,
        metrics={**record.metrics, **_best_metrics(best)},
        files=record.files + tables,
        children=tuple(points),
    )


def _best_metrics(run: Mapping[str, Any]) -> dict[str, float]:
    """The size of a run's network and the numbers of its best epoch, as ``best.*``."""
    best = {f"best.{key}": value for key, value in run.get("best", {}).items()}
    return _numbers(best | {"total_parameters": run.get("total_parameters")})


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The entries that are numbers, which True and False are not."""
    return {key: float(value) for key, value in values.items() if type(value) in (int, float)}


def _folder(root: Path, stage: str) -> Finished:
    net = paths.net_of(stage)
    return Finished(root / paths.REPORTS, f"train/{net}" if net else stage)


def outputs(root: Path, stage: str) -> list[Path]:
    """What a stage makes that DVC records, but for the data set."""
    if stage == REPORT_STAGE:
        return _stage_files(root, stage)
    net = paths.net_of(stage)
    return [_folder(root, stage).path, *([root / paths.models_of(net)] if net else [])]


def _stage_files(root: Path, stage: str) -> list[Path]:
    """The files that a stage leaves under reports/, sorted by name; no temporary ones."""
    if stage == REPORT_STAGE:
        pages = [root / paths.REPORTS / name for name in REPORT_FILES]
        return [page for page in pages if page.exists()]
    return sorted(path for path in _folder(root, stage).path.glob("[!.]*") if path.is_file())


def _missing(root: Path, stage: str) -> Path | None:
    """The first file that a finished stage would have and this one lacks."""
    folder = _folder(root, stage).path
    needed = [folder / "params.json", folder / "metrics.json"]
    if stage == REPORT_STAGE:
        needed = [root / paths.REPORTS / name for name in REPORT_FILES[:2]]
    if net := paths.net_of(stage):
        needed += [root / paths.models_of(net) / name for name in (paths.HISTORY, paths.BEST)]
    return next((path for path in needed if not path.exists()), None)


def _hash_files(paths: Iterable[Path]) -> str:
    state = hashlib.sha256()
    for path in paths:
        state.update(f"{path.name}\0{files.digest(path, 'sha256')}\n".encode())
    return state.hexdigest()
