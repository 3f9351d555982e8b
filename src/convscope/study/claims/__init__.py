"""The study's twenty findings, judged by the files of this project's own reports."""

from pathlib import Path

from convscope.study.claims import analyses, plain, regularized
from convscope.study.claims.claim import Claim, Numbers, Rule, Verdict, shown
from convscope.study.claims.record import changed, to_json
from convscope.study.claims.sources import NotMeasuredError, Reports

__all__ = [
    "RULES",
    "Claim",
    "Numbers",
    "Rule",
    "Verdict",
    "archive_md5",
    "changed",
    "data_name",
    "judge",
    "shown",
    "to_json",
]

RULES: tuple[Rule, ...] = (
    plain.best_setting,
    plain.net1_width,
    plain.net1_stride,
    plain.net1_kernel,
    plain.net1_best,
    plain.net2_axes,
    plain.net2_overfit,
    plain.net2_best,
    regularized.net3_best,
    regularized.net3_dropout,
    regularized.net3_width,
    regularized.net4_best,
    regularized.net4_dropout,
    analyses.confidence_falls,
    analyses.ablation_costs,
    analyses.errors_stay,
    analyses.vehicles_for_animals,
    analyses.responses_fall,
    analyses.filters_die,
    analyses.same_bytes,
)


def judge(reports: Path) -> list[Claim]:
    """Judge every claim by the finished stages' files.

    The claims are about CIFAR-10; files measured on other images are judged by the same rules.

    Args:
        reports: The folder reports/. Claims whose stage has not run are not measured.

    Returns:
        The claims in the study's order.

    Raises:
        UserError: A file is damaged.
    """
    source = Reports(reports)
    return [rule.judge(source) for rule in RULES]


def data_name(reports: Path) -> str | None:
    """The data set that the files were measured on, such as "cifar10"; None if unknown.

    Raises:
        UserError: reports/download/dataset.json is damaged.
    """
    return _of_data(reports, "name")


def archive_md5(reports: Path) -> str | None:
    """The md5 of the archive that the data set came from; None if unknown, empty if from none.

    Raises:
        UserError: reports/download/dataset.json is damaged.
    """
    return _of_data(reports, "md5")


def _of_data(reports: Path, key: str) -> str | None:
    try:
        value = Reports(reports).json("download/dataset").get(key)
    except NotMeasuredError:
        return None
    return value if isinstance(value, str) else None
