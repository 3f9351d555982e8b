"""What the MLflow run of a finished stage is to hold, read from the stage's folders."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from convscope.base import files, paths, timings
from convscope.base.consistency import require_consistent, require_current
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.tracking import descriptions
from convscope.tracking.records import (
    POINT,
    REPORT_STAGE,
    Record,
    Times,
    best_metrics,
    epoch_series,
    flatten,
    grid_fingerprint,
    hash_files,
    metrics,
    point_params,
)
from convscope.tracking.studies import study_of

REPORT_FILES = ("report.html", "report.md", "claims.json", "metrics.json")
# the page that a stage writes beside its folder
PAGES = {"explore": "explore.html"}
CONFIDENCE = "occlusion/confidence"

# by fingerprint, how many seconds something took, and when, where that is known
_AllTimes = Mapping[str, tuple[float, Times | None]]


def fingerprint(root: Path, stage: str) -> str:
    """Under which a finished stage is published: of a grid's runs, or of a folder's files.

    Raises:
        UserError: The stage has not finished.
    """
    if path := _missing(root, stage):
        raise UserError(f"stage {stage} has not finished: {path} is missing: run `dvc repro`")
    if net := paths.net_of(stage):
        return grid_fingerprint([run["fingerprint"] for _, run in grid_runs(root, net)])
    return hash_files(_stage_files(root, stage))


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
    dataset = download.json("dataset") if download.has("dataset.json") else None
    record = Record(
        stage,
        stage,
        fingerprint(root, stage),
        tags={"data": str(dataset["name"])} if dataset else {},
        files=tuple((path, "") for path in _stage_files(root, stage)),
        dataset=dataset,
    )
    times = _times(root)
    record = _timed(record, times)
    if stage == REPORT_STAGE:
        require_consistent(root / paths.REPORTS)
        return _with_verdicts(root, record)
    folder = _folder(root, stage)
    require_current(folder)
    record = replace(
        record,
        params=flatten(folder.params),
        tags={**record.tags, **_origin(root, folder)},
    )
    if net := record.net:
        return _with_points(root, net, record, times)
    return _with_headlines(record, folder)


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


def outputs(root: Path, stage: str) -> list[Path]:
    """What a stage makes that DVC records, but for the data set."""
    if stage == REPORT_STAGE:
        return _stage_files(root, stage)
    net = paths.net_of(stage)
    return [
        _folder(root, stage).path,
        *([root / paths.models_of(net)] if net else []),
        *_pages(root, stage),
    ]


def _origin(root: Path, folder: Finished) -> dict[str, str]:
    """The tags that say which study a stage is of and what computed it, where that is known."""
    study = study_of(root, paths.net_of(folder.stage), folder.params)
    processor = ", ".join(folder.made_from.computed_on)
    return {key: text for key, text in (("study", study), ("processor", processor)) if text}


def _times(root: Path) -> _AllTimes:
    """For each fingerprint how many seconds it took and when, as the log has it last."""
    log = timings.read(root / timings.TIMINGS)
    columns = [log[name].tolist() for name in ("fingerprint", "seconds", "started")]
    found: dict[str, tuple[float, Times | None]] = {}
    for of, seconds, started in zip(*columns, strict=True):
        began = None if pd.isna(started) else round(1000 * started.timestamp())
        when = None if began is None else Times(began, began + round(1000 * seconds))
        found[of] = seconds, when
    return found


def _timed(record: Record, times: _AllTimes) -> Record:
    if record.fingerprint not in times:
        return record
    seconds, when = times[record.fingerprint]
    return replace(record, metrics={**record.metrics, "time/seconds": seconds}, times=when)


def _with_headlines(record: Record, folder: Finished) -> Record:
    """The record of a stage that trains nothing, with its numbers and what they say."""
    headlines = folder.json("metrics")
    named, series = metrics(record.stage, headlines), {}
    if record.stage == "occlusion" and (windows := descriptions.window_confidences(headlines)):
        named = {key: value for key, value in named.items() if not key.startswith(CONFIDENCE)}
        series = {CONFIDENCE: windows}
    return replace(
        record,
        metrics={**record.metrics, **named},
        series=series,
        description=descriptions.of_stage(record.stage, folder.params, headlines),
    )


def _with_verdicts(root: Path, record: Record) -> Record:
    """The record of the report, with how many of the study's findings hold."""
    verdicts = files.read_json(root / paths.REPORTS / "metrics.json", REPORT_STAGE)
    if not isinstance(verdicts, dict):
        raise files.damaged(
            root / paths.REPORTS / "metrics.json", REPORT_STAGE, "it has no verdicts"
        )
    counts = {key.removeprefix("claims_"): number for key, number in verdicts.items()}
    return replace(
        record,
        metrics={**record.metrics, **metrics(record.stage, counts)},
        description=descriptions.of_stage(record.stage, {}, counts),
    )


def _with_points(root: Path, net: str, record: Record, times: _AllTimes) -> Record:
    models, command = root / paths.models_of(net), paths.command_of(f"train/{net}")
    points = [
        _timed(_point(record, folder, run, command), times) for folder, run in grid_runs(root, net)
    ]
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
        metrics={
            **record.metrics,
            **metrics(record.stage, report.json("metrics")),
            **best_metrics(best),
        },
        files=record.files + tables,
        description=descriptions.of_grid(net, len(points), report.params, best),
        children=tuple(points),
    )


def _point(record: Record, folder: Path, run: Mapping[str, Any], command: str) -> Record:
    """The record of one run of a grid, whose own is the stage's."""
    rows = files.read_csv(folder / paths.HISTORY, command).to_dict("records")
    weights = folder / paths.WEIGHTS
    tags = {"processor": ", ".join(run.get("computed_on", ()))} if "computed_on" in run else {}
    if weights.exists():
        tags["weights_md5"] = files.digest(weights)
    return Record(
        record.stage,
        folder.name,
        run["fingerprint"],
        POINT,
        params=point_params(run),
        metrics=best_metrics(run),
        series=epoch_series({str(key): value for key, value in row.items()} for row in rows),
        files=((folder / paths.RUN, ""), (folder / paths.HISTORY, "")),
        tags={**record.tags, **tags},
        dataset=record.dataset,
        description=descriptions.of_point(run),
    )


def _folder(root: Path, stage: str) -> Finished:
    net = paths.net_of(stage)
    return Finished(root / paths.REPORTS, f"train/{net}" if net else stage)


def _stage_files(root: Path, stage: str) -> list[Path]:
    """The files that a stage leaves under reports/, sorted by name; no temporary ones."""
    if stage == REPORT_STAGE:
        pages = [root / paths.REPORTS / name for name in REPORT_FILES]
        return [page for page in pages if page.exists()]
    found = [path for path in _folder(root, stage).path.glob("[!.]*") if path.is_file()]
    return sorted([*found, *_pages(root, stage)])


def _pages(root: Path, stage: str) -> list[Path]:
    return [root / paths.REPORTS / PAGES[stage]] if stage in PAGES else []


def _missing(root: Path, stage: str) -> Path | None:
    """The first file that a finished stage would have and this one lacks."""
    folder = _folder(root, stage).path
    needed = [folder / "params.json", folder / "metrics.json"]
    if stage == REPORT_STAGE:
        needed = [root / paths.REPORTS / name for name in REPORT_FILES]
    needed += _pages(root, stage)
    if net := paths.net_of(stage):
        needed += [root / paths.models_of(net) / name for name in (paths.HISTORY, paths.BEST)]
    return next((path for path in needed if not path.exists()), None)
