"""The report as Markdown: the words of templates/report.md.jinja around what was measured."""

import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from convscope.base import files, paths
from convscope.base.errors import UserError
from convscope.base.names import STUDY_ACCURACY, STUDY_OVERFIT
from convscope.base.report_folder import Finished
from convscope.report.document import analyses, columns, compare, markdown, text, training
from convscope.report.document.columns import Headings, Kind
from convscope.report.document.text import DataSet
from convscope.study import claims, published
from convscope.study.claims import Claim

# of more classes a table of a row each is folded, and one of a column each only linked
_MOST_CLASSES = 40
_ITS_WAY = (
    "The study's way of testing: in training mode (dropout on, each batch's own statistics), on "
    "test images that are augmented anew. Otherwise: in evaluation mode, on clean images."
)
# the stages that write a folder each, as the template calls them
_STAGES = {
    "download": "download",
    "baseline": "train/baseline",
    "evaluate": "evaluate",
    "occluded": "occlusion",
    "ablated": "filter-ablation",
    "identified": "filter-identify",
}
_CALLED = (
    *(analyses, claims, columns, compare, training),
    *(markdown.figure, markdown.file, markdown.link, markdown.prose),
    *(text.analyzed_net, text.counted, text.natural, text.taken),
)


def render(reports: Path, judged: Sequence[Claim]) -> str:
    """The report in GitHub-flavored Markdown, whose links are relative to reports/.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    folders = {called: Finished(reports, name).require() for called, name in _STAGES.items()}
    data = DataSet(*(known or "" for known in claims.measured_on(reports)))
    found = _template().render(
        data=data,
        judged=judged,
        nets=_nets(reports),
        study=published.study(),
        table=partial(_table, data),
        **folders,
    )
    apart = re.sub(r"(?m)^(#+ .*)$", r"\n\1\n", found)
    return re.sub(r"\n{3,}", "\n\n", apart).strip() + "\n"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("convscope.report.document"),
        autoescape=True,  # what a macro gives is Markdown already
        finalize=markdown.escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {each.__name__.split(".")[-1]: each for each in _CALLED}
    environment.globals |= {"count": text.count, "percent": text.percent, "int": int, "str": str}
    environment.globals |= {"listing": _listing, "claim_numbers": _numbers}
    environment.globals |= {"published_tables": _published_tables}
    return environment.get_template("report.md.jinja")


def _nets(reports: Path) -> list[Finished]:
    """The report folders of the trained networks, in natural order."""
    found = {path.name for path in (reports / "train").glob("[!.]*") if path.is_dir()}
    nets = text.natural([*found - {paths.BASELINE}])
    if not nets:
        raise UserError(
            f"{reports / 'train'} has no network: run `convscope train net1` (or `dvc repro`) "
            "before the report"
        )
    return [Finished(reports, f"train/{name}") for name in nets]


def _table(
    data: DataSet,
    folder: Finished,
    name: str,
    caption: str,
    shown: pd.DataFrame | None = None,
    headings: Headings | None = None,
    *,
    classes: Kind | None = None,
    notes: Sequence[str] = (),
    **style: Any,
) -> Markup:
    """The table ``name``.csv, or what is ``shown`` of it, with the study's numbers of its images.

    ``classes`` is the kind of the columns that are named after classes. See ``markdown.table``.
    """
    frame = folder.table(name) if shown is None else shown
    if len(frame.columns) > _MOST_CLASSES:
        return Markup("\n") + markdown.file(folder, name, caption)
    style["folded"] = style.get("folded") or (
        frame.columns[0] == "class" and len(frame) > _MOST_CLASSES
    )
    if classes is not None:
        headings = columns.of_classes(frame, classes)
    if any(str(column).endswith(columns.SPREAD) for column in frame):
        notes = [*notes, "± is the standard deviation of the seeds' own means."]
    if STUDY_ACCURACY in frame or STUDY_OVERFIT in frame:
        notes = [*notes, _ITS_WAY]
    source = f"{folder.name}/{name}.csv"
    with files.reading(folder.path / f"{name}.csv", folder.command):
        frame, more = compare.widened(folder, name, frame) if data.studied else (frame, [])
        linked = _linked(folder.path.name, name, frame)
        found = markdown.table(linked, source, caption, headings, notes=[*notes, *more], **style)
        for what, rows, named in compare.all_published(folder, name) if data.studied else ():
            found += markdown.table(rows, source, f"{caption}: {what}", named, folded=True)
    return found


def _linked(net: str, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A table in which the numbers of runs lead to the rows of their networks' tables ``runs``."""
    linked = frame.copy()
    nets = frame["net"] if "net" in frame else pd.Series(net, index=frame.index)
    cell = markdown.run_anchor if name == "runs" else markdown.run_link
    for column in frame.columns.intersection(["run", "chosen_run"]):
        cells = [
            number if pd.isna(number) else cell(of, int(number))
            for of, number in zip(nets, frame[column].tolist(), strict=True)
        ]
        linked[column] = pd.Series(cells, frame.index, dtype=object)
    return linked


def _listing(document: dict[str, Any], source: str, caption: str, folded: bool = False) -> Markup:
    """A JSON document as a table, nested keys joined by dots; empty values are left out."""
    (values,) = pd.json_normalize(document).to_dict("records") or [{}]
    shown = [(key, words) for key, value in values.items() if (words := _plain(value))]
    frame = pd.DataFrame(shown, columns=["Key", "Value"])
    return markdown.table(frame, source, caption, folded=folded)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "all" if value is None else columns.TEXT.show(value)


def _published_tables() -> Markup:
    """Every table of the study, folded."""
    found = Markup()
    for name, rows, headings in compare.every_table():
        found += markdown.table(rows, "", name, headings, folded=True)
    return found


def _numbers(claim: Claim) -> Markup:
    """What a claim's rule compares: the study's numbers and the measured ones, of each way."""
    sides = {"Published": claim.published, _measured(claim): claim.measured}
    if claim.usual:
        sides[_measured(claim.usual)] = claim.usual.measured
    shown = {
        side: {name: claims.shown(name, number) for name, number in numbers.items()}
        for side, numbers in sides.items()
    }
    frame = pd.DataFrame(shown).rename_axis("Number").reset_index()
    return markdown.grid(frame, {side: (side, columns.AS_IS) for side in shown})


def _measured(judged: claims.Judgment) -> str:
    return judged.way.removeprefix("the ").capitalize() or "Measured"
