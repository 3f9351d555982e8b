"""What a claim is: a finding of the study, the rule that checks it, and the verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from convscope.study import published
from convscope.study.claims.sources import NotMeasuredError, Source, Study

Numbers = Mapping[str, float]


class Verdict(StrEnum):
    """What the measured files say of a claim."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Claim:
    """A judged finding of the study.

    Attributes:
        number: Its place in the list of claims, from 1.
        section: The part of the study that it is from, such as ``net1`` or ``occlusion``.
        statement: The finding.
        rule: What exactly is computed from which file below reports/.
        verdict: Whether the measured files bear it out.
        published: What the rule finds in the study's own numbers, by name; empty where the study
            prints none. Accuracies are in [0, 1] unless a name says percent or points.
        measured: The same of the measured files; empty if they do not hold what the rule needs.
        why: What is missing and how to make it; or where a claim fails; or empty.
        differing: The grids that it rests on whose epochs, widths or other settings are not the
            study's. On such a claim the verdict is of these grids, and does not check the study.
    """

    number: int
    section: str
    statement: str
    rule: str
    verdict: Verdict
    published: Numbers
    measured: Numbers
    why: str
    differing: tuple[str, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether the measured files say anything of it."""
        return self.verdict is not Verdict.NOT_MEASURED

    @property
    def caveat(self) -> str:
        """Which grids of a judged claim are not the study's own, in words; or empty."""
        if not self.differing or not self.judged:
            return ""
        return f"{' and '.join(self.differing)} not as in the study"


@dataclass(frozen=True)
class Finding:
    """What a rule finds in a source.

    Attributes:
        numbers: What it compared, by name.
        against: What speaks against the claim; nothing where it holds.
        remark: What is worth knowing either way.
    """

    numbers: Numbers
    against: tuple[str, ...] = ()
    remark: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the claim."""
        return not self.against


@dataclass(frozen=True)
class Rule:
    """A claim before it is judged.

    Attributes:
        number: As in ``Claim``.
        section: As in ``Claim``.
        statement: As in ``Claim``.
        words: The rule in words, ``Claim.rule``.
        grids: The grids that it rests on: networks, by name.
        check: The rule; it raises ``NotMeasuredError`` where the source lacks what it needs.
    """

    number: int
    section: str
    statement: str
    words: str
    grids: tuple[str, ...]
    check: Callable[[Source], Finding]

    def judge(self, source: Source) -> Claim:
        """Apply the rule to the measured files, and to the study's own numbers."""
        measured: Numbers = {}
        try:
            found = self.check(source)
        except NotMeasuredError as lack:
            verdict, why = Verdict.NOT_MEASURED, str(lack)
        else:
            measured = found.numbers
            verdict = Verdict.HOLDS if found.holds else Verdict.DOES_NOT_HOLD
            why = "; ".join(filter(None, (*found.against, found.remark)))
        return Claim(
            number=self.number,
            section=self.section,
            statement=self.statement,
            rule=self.words,
            verdict=verdict,
            published=self._published(),
            measured=measured,
            why=why,
            differing=tuple(grid for grid in self.grids if _differs(source, grid)),
        )

    def _published(self) -> Numbers:
        try:
            return self.check(Study()).numbers
        except NotMeasuredError:
            return {}


def shown(name: str, value: float) -> str:
    """A number of a claim as a reader sees it.

    Whole numbers are whole. Others below 1, which most shares are, have four decimals, and all
    others two: those above 1, points and percent.

    Args:
        name: What the number is, its key in ``Numbers``.
        value: The number.
    """
    if isinstance(value, int):
        return f"{value:,}"
    share = abs(value) < 1 and not any(unit in name for unit in ("points", "percent"))
    return f"{value:.4f}" if share else f"{value:.2f}"


def _differs(source: Source, grid: str) -> bool:
    """Whether a grid is there and is not the study's own."""
    try:
        return bool(published.differing(grid, source.params(f"train/{grid}")))
    except NotMeasuredError:
        return False


def rule(
    number: int, section: str, statement: str, words: str, *, grids: tuple[str, ...]
) -> Callable[[Callable[[Source], Finding]], Rule]:
    """Make a rule of the function below it: the decorator of every claim's check."""

    def decorate(check: Callable[[Source], Finding]) -> Rule:
        return Rule(number, section, statement, words, grids, check)

    return decorate
