"""The report as Markdown: the words of templates/report.md.jinja around what was measured."""

import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from convscope.base import paths
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.report import analyses, columns, compare, markdown, published_size, text, training
from convscope.report.columns import Headings, Kind
from convscope.report.data_set import DataSet, measured_on
from convscope.study import claims, published
from convscope.study.claims import Claim

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
    *(analyses, claims, columns, published_size, training),
    *(markdown.figure, markdown.file, markdown.link, markdown.prose),
    *(text.analyzed_net, text.count, text.counted, text.natural, text.percent, text.taken),
)


def render(reports: Path, judged: Sequence[Claim]) -> str:
    """The report in GitHub-flavored Markdown, whose links are relative to reports/.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    folders = {called: Finished(reports, name).require() for called, name in _STAGES.items()}
    data = measured_on(folders["download"])
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
        loader=PackageLoader("convscope.report"),
        autoescape=True,  # what a macro gives is Markdown already
        finalize=markdown.escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {each.__name__.split(".")[-1]: each for each in _CALLED}
    environment.globals |= {"int": int, "str": str, "listing": _listing, "claim_numbers": _numbers}
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
    """The table ``name``.csv of a stage, compared with the study's, and all that this published.

    What is ``shown`` may be less than all of the file; ``classes`` is the kind of all columns but
    the first, which are named after classes. For the rest see ``markdown.table``.
    """
    frame = folder.table(name) if shown is None else shown
    if classes is not None:
        headings = columns.of_classes(frame, classes)
    if any(str(column).endswith(columns.SPREAD) for column in frame):
        notes = [*notes, "± is the standard deviation of the seeds' own means."]
    source = f"{folder.name}/{name}.csv"
    frame, more = compare.widened(folder, name, frame, data)
    try:
        found = markdown.table(frame, source, caption, headings, notes=[*notes, *more], **style)
    except ValueError as error:
        raise folder.damaged(f"{name}.csv", str(error)) from None
    for what, rows, named in compare.all_published(folder, name):
        found += markdown.table(rows, source, f"{caption}: {what}", named, folded=True)
    return found


def _listing(document: dict[str, Any], source: str, caption: str, folded: bool = False) -> Markup:
    """A JSON document as a table, nested keys joined by dots; empty values are left out."""
    (values,) = pd.json_normalize(document).to_dict("records") or [{}]
    shown = [(key, words) for key, value in values.items() if (words := _plain(value))]
    frame = pd.DataFrame(shown, columns=["Key", "Value"])
    return markdown.table(frame, source, caption, folded=folded)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if value is None or isinstance(value, bool):
        return {None: "all", True: "yes", False: "no"}[value]
    return str(value)


def _numbers(claim: Claim) -> Markup:
    """What a claim's rule compares: the study's numbers and the measured ones."""
    sides = {"Published": claim.published, "Measured": claim.measured}
    names = list(dict.fromkeys([*claim.published, *claim.measured]))
    shown = {
        side: [claims.shown(name, found[name]) if name in found else None for name in names]
        for side, found in sides.items()
    }
    kinds = {side: (side, columns.AS_IS) for side in sides}
    return markdown.grid(pd.DataFrame({"Number": names, **shown}), kinds)
