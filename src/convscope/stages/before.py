"""What ``make repro`` says first: what is about to run, why, and about how long it takes."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from convscope.base import paths
from convscope.base.names import AXES, POINT
from convscope.base.timings import TIMINGS
from convscope.stages import pipeline
from convscope.stages.pipeline import State

NOTHING = "nothing seems to have changed: DVC looks at every file, some seconds"
# seconds on two slow cores: to start a stage, and to put a grid together whose runs are all kept
STARTING, ASSEMBLING = 7.0, 5.0
UNKNOWN = (
    "how long this takes is not known here yet. Measured once: the default study, on digits, took "
    "3 to 5 min on two cores of an Intel Xeon; on CIFAR-10 study=overnight takes such two a night; "
    "study=published is work for a GPU"
)


def announcement() -> list[str]:
    """The lines; none if dvc.yaml or params.yaml cannot be read, which DVC then says."""
    try:
        state = pipeline.here()
        reasons = pipeline.to_run(state, lambda out: Path(out).exists())
    except pipeline.UNREADABLE:
        return []
    if not reasons:
        return [NOTHING]
    by_reason: dict[str, list[str]] = {}
    for stage, reason in reasons.items():
        by_reason.setdefault(reason, []).append(stage)
    try:
        duration = _duration(state, reasons)
    except pipeline.UNREADABLE:  # a parameter of the wrong kind, which its stage says
        duration = UNKNOWN
    return [
        f"{len(reasons)} of {len(state.stages)} stages to run",
        *(f"  {', '.join(stages)}: {reason}" for reason, stages in by_reason.items()),
        duration,
    ]


def _duration(state: State, reasons: Mapping[str, str]) -> str:
    attempts = _attempts()
    seconds = [_seconds(state, stage, attempts.get(stage, [])) for stage in reasons]
    if _is_other_data(state) or None in seconds:
        return UNKNOWN
    total = sum(filter(None, seconds)) + STARTING * len(seconds)
    return (
        f"about {_spoken(total)}, going by {TIMINGS}; less where DVC's cache or a kept run has it"
    )


def _spoken(seconds: float) -> str:
    """A duration to one or two digits, for reading."""
    if seconds < 90:
        return f"{max(10, math.ceil(seconds / 10) * 10)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class _Attempt:
    """How long a stage took, and how many runs it trained in that time."""

    seconds: float
    trained: int


def _attempts() -> dict[str, list[_Attempt]]:
    """What logs/timings.csv has of each stage, the latest last."""
    found: dict[str, list[_Attempt]] = {}
    trained: dict[str, int] = {}
    for stage, run, seconds in _log():
        if run:
            trained[stage] = trained.get(stage, 0) + 1
        else:
            found.setdefault(stage, []).append(_Attempt(seconds, trained.pop(stage, 0)))
    return found


def _log() -> Iterator[tuple[str, str, float]]:
    """Stage, run and seconds of each complete line."""
    try:
        text = TIMINGS.read_text(encoding="utf-8", errors="replace")
        for row in csv.DictReader(text.splitlines()):
            try:
                seconds = float(row["seconds"])
            except (KeyError, TypeError, ValueError):  # a line that was cut, or a second header
                continue
            if math.isfinite(seconds):
                yield row["stage"], row["run"], seconds
    except (OSError, csv.Error):
        return


def _seconds(state: State, stage: str, attempts: list[_Attempt]) -> float | None:
    """About how long a stage takes, less what starting it does; None if that is not known."""
    net = paths.net_of(stage)
    if net is None or not attempts:
        return attempts[-1].seconds if attempts else None
    kept = [attempt.seconds for attempt in attempts if not attempt.trained]
    base = kept[-1] if kept else ASSEMBLING
    if not (epochs := _epochs_to_train(state, net)):
        return base
    trained = [attempt for attempt in attempts if attempt.trained]
    if not trained:
        return None
    before = _locked(state, stage).get(f"nets.{net}") or {}
    known = before.get("epochs") or pipeline.value_at(state.params, f"nets.{net}.epochs") or 1
    each = max(0.0, trained[-1].seconds - base) / (trained[-1].trained * known)
    return base + epochs * each


def _epochs_to_train(state: State, net: str) -> int:
    """The epochs of the runs of a grid that are not kept, by point and settings."""
    section, shared = (
        pipeline.value_at(state.params, key) or {} for key in (f"nets.{net}", "train")
    )
    values = [section.get(axis) or [None] for axis in AXES]
    points = set(product(*values, section.get("seeds") or shared.get("seeds") or [0]))
    settings = {
        **{name: section.get(name) for name in ("epochs", "augment")},
        **{name: shared.get(name) for name in ("select_on", "precision", "threads")},
        "kernels": state.params.get("kernels"),
    }
    for path in paths.KEPT_RUNS.glob(f"*/{paths.RUN}"):
        with suppress(*pipeline.UNREADABLE):
            run = json.loads(path.read_bytes())
            if run["net"] == net and settings.items() <= run["settings"].items():
                points.discard(tuple(run["point"].get(name) for name in POINT))
    return len(points) * int(settings["epochs"] or 1)


def _locked(state: State, stage: str) -> Mapping[str, Any]:
    """The parameters that dvc.lock has of a stage."""
    params = state.lock.get(stage, {}).get("params", {})
    found: Mapping[str, Any] = params.get(str(paths.PARAMS)) or {}
    return found


def _is_other_data(state: State) -> bool:
    """Whether the data set is another than that of the last run, whose times say nothing then."""
    locked = _locked(state, "download")
    return bool(locked) and locked.get("data") != state.params.get("data")
