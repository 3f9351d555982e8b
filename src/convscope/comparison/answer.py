"""The one answer to what is different between two states: folders in, Markdown out.

Neither a comment nor a step summary of a CI server shows local pictures, or those inside a data:
link. So curves are charts in Mermaid's language, which GitHub and GitLab draw; figures are named.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from convscope.base import metrics
from convscope.comparison import differences
from convscope.comparison.differences import Change, Tested
from convscope.comparison.state import Judged, State
from convscope.config.content import one_line
from convscope.report.document import columns
from convscope.report.document.text import counted, listed, natural
from convscope.study.claims.claim import Verdict

# the comment of an earlier run is known by it
MARKER = "<!-- convscope compare -->"
# rows of a table, so that the answer stays below the 65,536 characters of a comment
ROWS = 30
# points of a curve: more labels would overlap
EPOCHS = 25
# characters of a text in a table
CELL = 400
_UNBROKEN = "\N{NO-BREAK SPACE}"


COLORS = {"before": "#999999", "after": "#0072B2"}


@dataclass(frozen=True)
class Curve:
    """A chart of a network: the epochs shown, lines in percent by name, and the range of y."""

    net: str
    epochs: list[int]
    lines: Mapping[str, list[float]]
    low: int
    high: int

    @property
    def colors(self) -> str:
        """Those of its lines, in their order."""
        return ", ".join(COLORS[name] for name in self.lines)


@dataclass(frozen=True)
class Answer:
    """The Markdown, and the numbers of the claims that held before and no longer do."""

    text: str
    lost: tuple[int, ...]


def answer(before: State, after: State) -> Answer:
    """What is different in the later state."""
    claims = differences.turned(before, after)
    lost = tuple(each.number for each in claims if each.lost)
    measured = {f"evaluate: {net}_test_accuracy" for net in after.tested.index}
    text = _template().render(
        marker=MARKER,
        before=before,
        after=after,
        verdict=_verdict(before, after, lost),
        params=differences.changes(before.params, after.params),
        tested=differences.tested(before, after),
        numbers=[
            each
            for each in differences.changes(before.numbers, after.numbers)
            if each.name not in measured
        ],
        turned=claims,
        curves=curves(before, after),
        figures=differences.changes(before.figures, after.figures),
        retrained=differences.retrained(before, after),
    )
    return Answer(text, lost)


def curves(before: State, after: State) -> list[Curve]:
    """A chart for each network whose best run has another curve."""
    changed = differences.changes(before.curves, after.curves)
    by_net = {each.name: each for each in changed}
    return [_curve(by_net[net]) for net in natural([*by_net])]


def _curve(change: Change[list[float]]) -> Curve:
    sides = {"before": change.before or [], "after": change.after or []}
    longest = max(map(len, sides.values()))
    step = -(-longest // EPOCHS)
    shown = range(step - 1, longest, step)
    # a category for each epoch: over a range of numbers a shorter line would be stretched
    lines = {
        name: [round(100 * values[at], 2) for at in shown if at < len(values)]
        for name, values in sides.items()
    }
    lines = {name: values for name, values in lines.items() if values}
    points = [value for values in lines.values() for value in values]
    low, high = min(99, int(min(points))), min(100, int(max(points)) + 1)
    return Curve(change.name, [at + 1 for at in shown], lines, low, high)


def _verdict(before: State, after: State, lost: Sequence[int]) -> str:
    """The first sentence: whether something that held is lost."""
    findings = [[c for c in s.claims.values() if not c.goal] for s in (before, after)]
    held = [sum(claim.verdict is Verdict.HOLDS for claim in found) for found in findings]
    counts = f"{held[0]} of {len(findings[0])} claims held before, {held[1]} hold after."
    if not before.claims:
        return "No claims were judged before."
    if not lost:
        return f"Every claim that held still holds: {counts}"
    numbers = listed([str(number) for number in lost])
    one = len(lost) == 1
    what = (
        f"Claim {numbers} held and no longer does"
        if one
        else f"Claims {numbers} held and no longer do"
    )
    return f"**{what}.** {counts}"


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("convscope.comparison"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= _FILTERS
    return environment.get_template("answer.md.jinja")


def _cell(text: object) -> str:
    """A text whose characters mean nothing to Markdown."""
    plain = one_line(str(text), CELL)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|" else c for c in plain)


def _code(text: object) -> str:
    """A value as code; a dash where there is none."""
    if text is None:
        return columns.NOTHING
    plain = one_line(str(text)).replace("`", "'").replace("|", "\\|")
    return f"`{plain or ' '}`"


def _rest(rows: Sequence[object]) -> str:
    """A line that says how many rows are left out."""
    return f"\n\n{len(rows) - ROWS} more are not shown." if len(rows) > ROWS else ""


def _interval(tested: tuple[float, float, float] | None) -> str:
    if tested is None:
        return columns.NOTHING
    accuracy, low, high = (f"{100 * value:.2f}" for value in tested)
    return f"{accuracy} % ({low} to {high})".replace(" ", _UNBROKEN)


def _number(name: str, value: float | None, state: State) -> str:
    """A headline number; of an accuracy on all test images, with its interval."""
    if value is None:
        return columns.NOTHING
    images = len(state.predictions)
    correct = round(value * images)
    if "accuracy" in name and images and math.isclose(correct, value * images, abs_tol=1e-6):
        return _interval((value, *metrics.accuracy_interval(correct, images)))
    return f"{value:.6g}"


def _points(tested: Tested) -> str:
    if tested.before is None or tested.after is None:
        return columns.NOTHING
    return columns.SHARE.difference.show(tested.after[0] - tested.before[0])


def _fate(change: Change[str]) -> str:
    if change.before is None:
        return "new"
    return "gone" if change.after is None else "changed"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _stages(state: State) -> str:
    ran = state.log.loc[state.log["run"] == "", "stage"]
    return ", ".join(f"`{stage}`" for stage in dict.fromkeys(ran)) or "none"


def _trained(state: State) -> str:
    runs = state.log[state.log["run"] != ""]
    if runs.empty:
        return "none"
    return f"{counted(len(runs), 'run')}, {_duration(float(runs['seconds'].sum()))} added up"


_FILTERS: dict[str, Callable[..., Any]] = {
    "cell": _cell,
    "code": _code,
    "head": lambda rows: rows[:ROWS],
    "rest": _rest,
    "interval": _interval,
    "points": _points,
    "count": columns.COUNT.show,
    "probability": columns.P_VALUE.show,
    "number": _number,
    "verdict": lambda claim: str(claim.verdict) if isinstance(claim, Judged) else "not judged",
    "fate": _fate,
    "duration": _duration,
    "stages": _stages,
    "trained": _trained,
}
