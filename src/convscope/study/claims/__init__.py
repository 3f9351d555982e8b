"""The study's findings and one goal of this project, judged by the files of its own reports."""

from collections.abc import Sequence
from pathlib import Path

from convscope.study.claims import (
    ablation,
    dropout,
    filters,
    goals,
    occlusion,
    plain,
    regularized,
    widths,
)
from convscope.study.claims.claim import Claim, Judgment, Verdict, shown
from convscope.study.claims.record import counted, to_json
from convscope.study.claims.rule import Rule
from convscope.study.claims.sources import NotMeasuredError, Reports, zeroed_filters

__all__ = [
    "RULES",
    "Claim",
    "Judgment",
    "Verdict",
    "counted",
    "judge",
    "measured_on",
    "shown",
    "to_json",
    "to_metrics",
    "zeroed_filters",
]

_MODULES = (plain, regularized, occlusion, ablation, filters, goals, widths, dropout)
_MEMBERS = [member for module in _MODULES for member in vars(module).values()]
RULES = tuple(
    sorted((each for each in _MEMBERS if isinstance(each, Rule)), key=lambda each: each.number)
)


def judge(reports: Path) -> list[Claim]:
    """Judge every claim by the finished stages' files, whatever images they were measured on.

    Raises:
        UserError: A file is damaged.
    """
    found = Reports.below(reports)
    return [rule.judge(found) for rule in RULES]


def to_metrics(judged: Sequence[Claim]) -> dict[str, int | str]:
    """Judged claims as ``dvc metrics`` compares them: counts, then the verdicts by claim.

    Counted are the findings of the study, not this project's goals. Verdicts are words, with how
    many seeds they are of, so that none is taken for a number: what was not measured has not
    failed.
    """
    verdicts = [claim.verdict for claim in judged if not claim.goal]
    names = {rule.number: f"claim_{rule.number:02}_{rule.name}" for rule in RULES}
    return {
        "claims_held": verdicts.count(Verdict.HOLDS),
        "claims_failed": verdicts.count(Verdict.DOES_NOT_HOLD),
        "claims_unmeasured": verdicts.count(Verdict.NOT_MEASURED),
        **{names[claim.number]: claim.answer for claim in judged},
    }


def measured_on(reports: Path) -> tuple[str | None, str | None]:
    """The data set, such as "cifar10", and its archive's md5, empty if none; None if unknown.

    Raises:
        UserError: reports/download/dataset.json is damaged.
    """
    try:
        found = Reports.below(reports).json("download/dataset")
    except NotMeasuredError:
        found = {}
    name, md5 = (found.get(key) for key in ("name", "md5"))
    return name if isinstance(name, str) else None, md5 if isinstance(md5, str) else None
