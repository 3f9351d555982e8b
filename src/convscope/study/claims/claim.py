"""What a claim is: a finding of the study, the rule that checks it, and the verdict."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from inspect import cleandoc

from convscope.base.errors import UserError
from convscope.study.claims.sources import NotMeasuredError, Source, Study
from convscope.study.published import differing

Numbers = Mapping[str, float]
Check = Callable[[Source], "Finding"]
OVERFIT = "overfit (points)"  # what several claims call this number


class Verdict(StrEnum):
    """What the measured files say of a claim."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Claim:
    """A judged finding of the study.

    Attributes:
        section: The part of the study that it is from, such as ``net1`` or ``occlusion``.
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
    def caveat(self) -> str:
        """Which grids of a judged claim are not the study's own, in words; or empty."""
        if not self.differing or self.verdict is Verdict.NOT_MEASURED:
            return ""
        return f"{' and '.join(self.differing)} not as in the study"


@dataclass(frozen=True)
class Finding:
    """The numbers that a rule compared, what may speak against the claim, what else to know."""

    numbers: Numbers
    against: Mapping[str, bool]  # in words, and whether it is so
    remark: str = ""


@dataclass(frozen=True)
class Rule:
    """A claim before it is judged: as ``Claim``, with the grids that it rests on and the check."""

    number: int
    section: str
    statement: str
    rule: str
    grids: tuple[str, ...]
    check: Check

    @property
    def name(self) -> str:
        """A short name that stays when the statement is worded anew: the check's own."""
        return self.check.__name__

    def judge(self, source: Source) -> Claim:
        """Apply the rule to the measured files, and to the study's own numbers."""
        published = found = Finding({}, {})
        with suppress(NotMeasuredError):
            published = self.check(Study())
        try:
            found = self.check(source)
            objections = [text for text, true in found.against.items() if true]
            verdict = Verdict.DOES_NOT_HOLD if objections else Verdict.HOLDS
            why = "; ".join(filter(None, (*objections, found.remark)))
        except NotMeasuredError as lack:
            verdict, why = Verdict.NOT_MEASURED, str(lack)
        claim = (self.number, self.section, self.statement, self.rule)
        differing = tuple(grid for grid in self.grids if _differs(source, grid))
        return Claim(*claim, verdict, published.numbers, found.numbers, why, differing)


def rule(
    number: int, section: str, *, grids: tuple[str, ...] | None = None
) -> Callable[[Check], Rule]:
    """Make a rule of a function: the decorator of every claim's check.

    The first line of the function's docstring is the claim's statement, the rest is the rule in
    words. The check raises ``NotMeasuredError`` where the source lacks what it needs. The claim
    rests on the grid of the network that its section is about, unless ``grids`` names others.
    """

    def decorate(check: Check) -> Rule:
        if check.__doc__ is None:
            raise UserError(
                "docstrings state the claims: run Python without -OO, and unset PYTHONOPTIMIZE"
            )
        statement, _, text = cleandoc(check.__doc__).partition("\n\n")
        rests_on = (section,) if grids is None else grids
        return Rule(number, section, statement, " ".join(text.split()), rests_on, check)

    return decorate


def shown(name: str, value: float) -> str:
    """A number of a claim as a reader sees it, by its name: shares have four decimals.

    Integers have none, and the rest two: those above 1, points and percent.
    """
    if isinstance(value, int):
        return f"{value:,}"
    share = abs(value) < 1 and not any(unit in name for unit in ("points", "percent"))
    return f"{value:.4f}" if share else f"{value:.2f}"


def _differs(source: Source, grid: str) -> bool:
    with suppress(NotMeasuredError):
        return bool(differing(grid, source.params(f"train/{grid}")))
    return False
