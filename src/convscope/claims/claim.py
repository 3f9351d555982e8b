"""What a claim is: a finding of the study, the rule that checks it, and the verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from convscope.claims.sources import NotMeasuredError, Source, Study

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
    """

    number: int
    section: str
    statement: str
    rule: str
    verdict: Verdict
    published: Numbers
    measured: Numbers
    why: str


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
        check: The rule; it raises ``NotMeasuredError`` where the source lacks what it needs.
    """

    number: int
    section: str
    statement: str
    words: str
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
        )

    def _published(self) -> Numbers:
        try:
            return self.check(Study()).numbers
        except NotMeasuredError:
            return {}


def shown(value: float) -> str:
    """A number of a claim as a reader sees it.

    Whole numbers are whole, numbers below 1, which most shares are, have four decimals, and others
    two.
    """
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def rule(
    number: int, section: str, statement: str, words: str
) -> Callable[[Callable[[Source], Finding]], Rule]:
    """Make a rule of the function below it: the decorator of every claim's check."""

    def decorate(check: Callable[[Source], Finding]) -> Rule:
        return Rule(number, section, statement, words, check)

    return decorate
