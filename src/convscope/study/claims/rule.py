"""The rule that checks a claim: what it compares, by how much, and what it says of each seed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import cleandoc
from statistics import fmean
from typing import Any

from convscope.base.errors import UserError
from convscope.base.names import AXES
from convscope.study.claims.claim import (
    LIKE_STUDY,
    USUAL,
    Claim,
    Judgment,
    Numbers,
    SeedVerdict,
    Verdict,
)
from convscope.study.claims.sources import NotMeasuredError, Reports, Source, Study
from convscope.study.published import differing

Check = Callable[[Source], "Finding"]
_BOTH_WAYS = (
    "So judged in the usual way, and before it in the study's way: with study_accuracy and "
    "study_overfit_percent, and best_study.csv, where a network was trained on augmented images."
)
# stages that analyze a single trained network
ANALYSES = ("evaluate", "occlusion", "filter-ablation", "filter-identify")


@dataclass(frozen=True)
class Margin:
    """By how much something is as the claim has it; ``ties`` says whether 0 is enough."""

    value: float
    ties: bool = False

    def __bool__(self) -> bool:
        """Whether it speaks against the claim."""
        return not (self.value > 0 or (self.ties and self.value == 0))


Against = dict[str, bool | Margin]


@dataclass(frozen=True)
class Finding:
    """What a rule compared.

    Attributes:
        numbers: What it compared, by name.
        against: What may speak against the claim, in words, and whether it does: a truth, or, for
            what is a matter of more or less, a margin.
        remark: What else to know.
        unit: What the margins are in: points are those of percent.
    """

    numbers: Numbers
    against: Mapping[str, bool | Margin]
    remark: str = ""
    unit: str = "points"

    @property
    def margin(self) -> float | None:
        """The smallest; None where none speaks against the claim, and something else does."""
        margins = [each for each in self.against.values() if isinstance(each, Margin)]
        others = [each for each in self.against.values() if not isinstance(each, Margin)]
        if any(others) and not any(margins):
            return None
        return min((margin.value for margin in margins), default=None)


@dataclass(frozen=True)
class Rule:
    """A claim before it is judged: as ``Claim``, with the grids that it rests on and the check.

    ``both_ways`` says whether it is about networks that were trained on augmented images, and is
    judged by what each of the two ways to test them gives.
    """

    number: int
    section: str
    statement: str
    rule: str
    grids: tuple[str, ...]
    check: Check
    goal: bool = False
    both_ways: bool = False

    @property
    def name(self) -> str:
        """A short name that stays when the statement is worded anew: the check's own."""
        return self.check.__name__

    def judge(self, source: Reports) -> Claim:
        """Apply the rule to the measured files of each seed, and to the study's own numbers."""
        published = Finding({}, {})
        with suppress(NotMeasuredError):
            published = self.check(Study())
        judged, usual = self._judged(source), None
        if self.both_ways:
            judged, usual = _ways(self._judged(source.like_study()), judged)
        return Claim(
            **vars(judged),
            number=self.number,
            section=self.section,
            statement=self.statement,
            rule=self.rule,
            published=published.numbers,
            differing=tuple(grid for grid in self.grids if _differs(source, grid)),
            goal=self.goal,
            usual=usual,
        )

    def _judged(self, source: Reports) -> Judgment:
        one_network = self.section in ANALYSES
        by_seed = [
            (seed, *self._applied(each)) for seed, each in source.by_seed(self.grids, one_network)
        ]
        found = {seed: finding for seed, finding, _ in by_seed if finding}
        seeds = tuple(_of_seed(*each) for each in by_seed)
        return Judgment(
            verdict=_of_all(seeds),
            measured=_over_seeds({seed: finding.numbers for seed, finding in found.items()}),
            why=_reasons(seeds),
            unit=next((finding.unit for finding in found.values()), "points"),
            one_network=one_network,
            seeds=() if self.goal else seeds,
        )

    def _applied(self, source: Source) -> tuple[Finding | None, str]:
        """What the check finds, or None and what is missing."""
        try:
            return self.check(source), ""
        except NotMeasuredError as lack:
            return None, str(lack)


def rule(
    number: int,
    section: str,
    *,
    grids: tuple[str, ...] | None = None,
    goal: bool = False,
    both_ways: bool = False,
) -> Callable[[Check], Rule]:
    """Make a rule of a function: the decorator of every claim's check.

    The first paragraph of the function's docstring is the claim's statement, the rest is the rule
    in words. The check raises ``NotMeasuredError`` where the source lacks what it needs. The claim
    rests on the grid of the network that its section is about, unless ``grids`` names others.
    """

    def decorate(check: Check) -> Rule:
        if check.__doc__ is None:
            raise UserError(
                "docstrings state the claims: run Python without -OO, and unset PYTHONOPTIMIZE"
            )
        statement, _, text = cleandoc(check.__doc__).partition("\n\n")
        rests_on = (section,) if grids is None else grids
        text = f"{text} {_BOTH_WAYS if both_ways else ''}"
        words = " ".join(text.split())
        return Rule(number, section, statement, words, rests_on, check, goal, both_ways)

    return decorate


def _ways(like_study: Judgment, usual: Judgment) -> tuple[Judgment, Judgment | None]:
    """What is said first and, unless neither way was measured, in the usual way."""
    if {like_study.verdict, usual.verdict} == {Verdict.NOT_MEASURED}:
        return usual, None
    return replace(like_study, way=LIKE_STUDY), replace(usual, way=USUAL)


def _of_seed(seed: int | None, finding: Finding | None, lack: str) -> SeedVerdict:
    if finding is None:
        return SeedVerdict(seed, Verdict.NOT_MEASURED, why=lack)
    objections = [text for text, against in finding.against.items() if against]
    verdict = Verdict.DOES_NOT_HOLD if objections else Verdict.HOLDS
    why = "; ".join(filter(None, (*objections, finding.remark)))
    return SeedVerdict(seed, verdict, finding.margin, why)


def _of_all(seeds: Sequence[SeedVerdict]) -> Verdict:
    """The verdict over the seeds that were measured: a claim holds if it holds in each."""
    found = {each.verdict for each in seeds} - {Verdict.NOT_MEASURED}
    if not found:
        return Verdict.NOT_MEASURED
    return Verdict.HOLDS if found == {Verdict.HOLDS} else Verdict.DOES_NOT_HOLD


def _reasons(seeds: Sequence[SeedVerdict]) -> str:
    """Why, once if it is the same for every seed, or else seed by seed."""
    reasons = dict.fromkeys(each.why for each in seeds)
    if len(reasons) == 1:
        return next(iter(reasons))
    return "; ".join(f"seed {each.seed}: {each.why}" for each in seeds if each.why)


def _over_seeds(numbers: Mapping[int | None, Numbers]) -> Numbers:
    """What all seeds have, by name: the means; each seed's where settings differ, or as it is."""
    first = next(iter(numbers.values()), {})
    found: dict[str, float] = {}
    for name in first:
        of = {seed: each[name] for seed, each in numbers.items() if name in each}
        if len(of) < len(numbers):
            continue
        if len({*of.values()}) == 1:
            found[name] = first[name]
        elif name.rpartition(", ")[2] in AXES:
            found |= {f"{name}, seed {seed}": value for seed, value in of.items()}
        else:
            found[name] = fmean(of.values())
    return found


def _differs(source: Reports, grid: str) -> bool:
    params: dict[str, dict[str, Any]] = {}
    with suppress(NotMeasuredError):
        params |= source.params(f"train/{grid}")
        params |= source.params("download")
    return bool(params and differing(grid, params))
