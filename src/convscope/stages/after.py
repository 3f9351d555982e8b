"""What ``make repro`` says last: the accuracies, what has changed, and where to look."""

import csv
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from convscope.base import files, paths
from convscope.base.errors import UserError
from convscope.stages import pipeline
from convscope.tracking.records import flatten

LAST = paths.KEPT / "last.json"
BEST = paths.REPORTS / "evaluate/best.csv"
COLUMNS = ("test_accuracy", "low", "high")
VERDICTS = "metrics.json"
MOST = 8
_AGAIN = "correct it, and run `convscope after` again"
PAGES = {
    paths.REPORTS / "report.html": "every table, figure and claim",
    paths.REPORTS / "explore.html": "the analyzed network at work, in the browser",
}


@dataclass(frozen=True)
class Outcome:
    """What a finished pipeline found.

    Attributes:
        params: The parameters by their dotted keys, as JSON.
        accuracies: The test accuracy, in [0, 1], of the best run of each network.
        metrics: The numbers and verdicts of each metrics.json, by its path in reports/.
    """

    params: dict[str, str] = field(default_factory=dict)
    accuracies: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)


def summary() -> list[str]:
    """The lines; what is found is kept for the next summary to compare with.

    Raises:
        UserError: params.yaml, or a table or metrics in reports/, cannot be read.
    """
    best = _best()
    metrics = {
        path.relative_to(paths.REPORTS).as_posix(): files.read_json(path, _made_by(path))
        for path in sorted(paths.REPORTS.rglob(VERDICTS))
    }
    accuracies = {net: numbers[0] for net, numbers in best.items()}
    found = Outcome(flatten(_params()), accuracies, metrics)
    last = _last()
    files.write_json(LAST, asdict(found))
    return [*_table(best, last), "", *_changes(last, found), "", *_places()]


def _params() -> dict[str, Any]:
    """The parameters as they stand; what checks them imports much."""
    try:
        found = pipeline.load(paths.PARAMS.read_text(encoding="utf-8"))
    except pipeline.UNREADABLE as error:
        why = " ".join(str(error).split())
        raise UserError(f"{paths.PARAMS} cannot be read ({why}): {_AGAIN}") from None
    if not isinstance(found, dict):
        raise UserError(f"{paths.PARAMS} does not map sections to their keys: {_AGAIN}")
    return found


def _made_by(path: Path) -> str:
    folder = path.parent.relative_to(paths.REPORTS).as_posix()
    return "report" if folder == "." else paths.command_of(folder)


def _best() -> dict[str, tuple[float, ...]]:
    """By network, in [0, 1], its best run's test accuracy and the ends of its 95 % interval."""
    if not BEST.is_file():
        return {}
    with files.reading(BEST, "evaluate"), BEST.open(encoding="utf-8", newline="") as stream:
        return {
            row["net"]: tuple(float(row.get(name) or "") for name in COLUMNS)
            for row in csv.DictReader(stream)
        }


def _last() -> Outcome | None:
    """What the last summary found; None if there was none."""
    try:
        return Outcome(**json.loads(LAST.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _table(best: Mapping[str, tuple[float, ...]], last: Outcome | None) -> list[str]:
    """The best run of each network, with what it was the last time."""
    if not best:
        return []
    rows = [("network", "test accuracy", "95 % (test images)", "the last time" if last else "")]
    for net, numbers in best.items():
        now, low, high = (100 * number for number in numbers)
        interval = f"{low:.2f} to {high:.2f} %"
        rows.append((net, f"{now:.2f} %", interval, _earlier(net, now, last)))
    return [f"{a:10}{b:15}{c:20}{d}".rstrip() for a, b, c, d in rows]


def _earlier(net: str, now: float, last: Outcome | None) -> str:
    if last is None:
        return ""
    if net not in last.accuracies:
        return "none"
    before = 100 * last.accuracies[net]
    return "the same" if before == now else f"{before:.2f} %: {now - before:+.2f} points"


def _changes(last: Outcome | None, found: Outcome) -> list[str]:
    """What has changed since the last time, a line a parameter, verdict or number."""
    if last is None:
        return ["the next `make repro` says here what has changed since this one"]
    before, now = (_values(each) for each in (last, found))
    changed = [
        f"  {key}: {before.get(key, 'none')} -> {now.get(key, 'none')}"
        for key in [*now, *(key for key in before if key not in now)]
        if before.get(key) != now.get(key)
    ]
    if not changed:
        return ["no parameter and no result has changed since the last `make repro`"]
    more = len(changed) - MOST
    rest = [f"  and {more} more (reports/report.html; `dvc metrics diff`)"] if more > 0 else []
    return ["changed since the last `make repro`:", *changed[:MOST], *rest]


def _values(outcome: Outcome) -> dict[str, str]:
    """Parameters, verdicts and numbers by the names under which changes are listed, in that order.

    Accuracies are in the table, and verdicts are counted by the claims themselves.
    """
    verdicts = outcome.metrics.get(VERDICTS, {})
    stages = {path: found for path, found in outcome.metrics.items() if path != VERDICTS}
    numbers = {
        f"{Path(path).parent}: {name}": value
        for path, found in stages.items()
        for name, value in found.items()
        if path != "evaluate/metrics.json"
    }
    claims = {name: value for name, value in verdicts.items() if name.startswith("claim_")}
    return outcome.params | {name: _text(value) for name, value in (claims | numbers).items()}


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _places() -> list[str]:
    """What to open."""
    command = "open" if sys.platform == "darwin" else "xdg-open"
    pages: Mapping[str, str] = {
        f"{command} {path}": what for path, what in PAGES.items() if path.is_file()
    }
    places = {**pages, "make ui": "the runs, compared in MLflow"}
    width = max(map(len, places))
    return [f"{place:{width}}  {what}" for place, what in places.items()]
