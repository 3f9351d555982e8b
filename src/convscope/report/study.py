"""The whole report, in the study's order."""

import re
from collections.abc import Sequence
from pathlib import Path

from convscope.claims import Claim
from convscope.errors import UserError
from convscope.report import (
    ablation,
    comparison,
    departures,
    evaluation,
    findings,
    identification,
    occlusion,
    overview,
    selection,
    training,
)
from convscope.report.document import Document
from convscope.report.reading import Folder, finished


def document(reports: Path, judged: Sequence[Claim]) -> Document:
    """Read the finished stages' folders.

    Args:
        reports: The folder reports/.
        judged: The study's claims, judged by the same folder.

    Returns:
        The report.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    download = finished(reports, "download", "download")
    baseline = finished(reports, "baseline", "baseline")
    nets = _nets(reports)
    evaluate = finished(reports, "evaluate", "evaluate")
    analyses = [
        finished(reports, stage, stage)
        for stage in ("occlusion", "filter-ablation", "filter-identify")
    ]
    occluded, ablated, identified = analyses
    data = download.json("dataset").get("name", "")
    sections = (
        training.data(download),
        training.baseline(baseline),
        *(training.net(folder) for folder in nets),
        evaluation.section(evaluate),
        selection.section(evaluate),
        occlusion.section(occluded),
        ablation.section(ablated),
        identification.section(identified),
        departures.section(download, [baseline, *nets], evaluate, identified),
        overview.reproduction(download, [download, baseline, *nets, evaluate, *analyses]),
    )
    return Document(
        title="convscope",
        subtitle=f"a study of convolutional networks on {data}",
        sections=(
            overview.summary(download, nets, evaluate, occluded, ablated, identified),
            findings.section(judged, data, {section.id for section in sections}),
            *(comparison.compared(section, data) for section in sections),
        ),
    )


def _nets(reports: Path) -> list[Folder]:
    """The report folders of the trained networks, net2 before net10."""
    names = sorted(
        (path.name for path in (reports / "train").glob("[!.]*") if path.is_dir()), key=_natural
    )
    if not names:
        raise UserError(
            f"{reports / 'train'} holds no network: run `convscope train net1` (or `dvc repro`) "
            "before the report"
        )
    return [Folder(reports, f"train/{name}", f"train {name}") for name in names]


def _natural(name: str) -> list[str | int]:
    """A sort key that takes digits for numbers: text and numbers alternate."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
