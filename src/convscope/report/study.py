"""The whole report, in the study's order."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from convscope.base.errors import UserError
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
    sizes,
    training,
)
from convscope.report.document import Document, Part, Section, Text
from convscope.report.images import measured_on
from convscope.report.reading import Folder, finished
from convscope.study.claims import Claim


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
    baseline = finished(reports, "train/baseline", "baseline")
    nets = _nets(reports)
    evaluate = finished(reports, "evaluate", "evaluate")
    analyses = [
        finished(reports, stage, stage)
        for stage in ("occlusion", "filter-ablation", "filter-identify")
    ]
    occluded, ablated, identified = analyses
    images, grids = measured_on(download), [baseline, *nets]
    analyzed = [_told(folder, nets) for folder in analyses]
    sections = (
        training.data(download),
        training.baseline(baseline),
        *(training.net(folder) for folder in nets),
        _after_first(evaluation.section(evaluate), sizes.of_several(nets)),
        selection.section(evaluate),
        _after_first(occlusion.section(occluded), analyzed[0]),
        _after_first(ablation.section(ablated), analyzed[1]),
        _after_first(identification.section(identified), analyzed[2]),
        departures.section(download, grids, evaluate, identified),
        overview.reproduction(download, [download, *grids, evaluate, *analyses]),
    )
    claimed = findings.section(judged, images, {section.id for section in sections})
    return Document(
        title="convscope",
        subtitle=f"a study of convolutional networks on {images.called}",
        sections=(
            overview.summary(download, nets, evaluate, occluded, ablated, identified),
            _after_first(claimed, sizes.of_several(grids)),
            *(comparison.compared(section, images, reports) for section in sections),
        ),
    )


def _told(folder: Folder, nets: Sequence[Folder]) -> list[Text]:
    """Whether the network that a stage analyzes is of the published size."""
    net = folder.params.get("analysis", {}).get("net")
    return sizes.of_several([each for each in nets if each.path.name == net])


def _after_first(section: Section, parts: Sequence[Part]) -> Section:
    """The section with more parts behind its first."""
    first, *others = section.parts
    return replace(section, parts=(first, *parts, *others))


def _nets(reports: Path) -> list[Folder]:
    """The report folders of the trained networks, net2 before net10."""
    names = sorted(
        (p.name for p in (reports / "train").glob("[!.]*") if p.is_dir() and p.name != "baseline"),
        key=_natural,
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
