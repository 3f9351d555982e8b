"""The study's twenty findings, judged by the files of this project's own reports."""

from pathlib import Path

from convscope.study.claims import analyses, plain, regularized
from convscope.study.claims.claim import Claim, Numbers, Rule, Verdict, shown
from convscope.study.claims.record import to_json
from convscope.study.claims.sources import NotMeasuredError, Reports, zeroed_filters

__all__ = [
    "RULES",
    "Claim",
    "Numbers",
    "Verdict",
    "archive_md5",
    "data_name",
    "judge",
    "shown",
    "to_json",
    "zeroed_filters",
]

_MEMBERS = [member for module in (plain, regularized, analyses) for member in vars(module).values()]
RULES = tuple(member for member in _MEMBERS if isinstance(member, Rule))


def judge(reports: Path) -> list[Claim]:
    """Judge every claim by the finished stages' files, whatever images they were measured on.

    Raises:
        UserError: A file is damaged.
    """
    return [rule.judge(Reports(reports)) for rule in RULES]


def data_name(reports: Path) -> str | None:
    """The data set that the files were measured on, such as "cifar10"; None if unknown.

    Raises:
        UserError: reports/download/dataset.json is damaged.
    """
    return _of_data(reports, "name")


def archive_md5(reports: Path) -> str | None:
    """The md5 of the data set's archive; None if unknown, empty if none; raises the same."""
    return _of_data(reports, "md5")


def _of_data(reports: Path, key: str) -> str | None:
    try:
        value = Reports(reports).json("download/dataset").get(key)
    except NotMeasuredError:
        return None
    return value if isinstance(value, str) else None
