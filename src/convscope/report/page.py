"""The report as Markdown: the words of templates/report.md.jinja around what was measured."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.report import (
    ablation,
    columns,
    compare,
    departures,
    evaluation,
    findings,
    identification,
    markdown,
    occlusion,
    published_size,
    summary,
    text,
    training,
)
from convscope.report.columns import Headings, Kind
from convscope.report.data_set import DataSet, measured_on
from convscope.study.claims import Claim

_ANALYSES = ("occlusion", "filter-ablation", "filter-identify")
# what the template calls by their names
_SENTENCES = (
    *(ablation, columns, departures, evaluation, findings, identification, occlusion),
    *(published_size, summary, text, training),
)


def render(reports: Path, judged: Sequence[Claim]) -> str:
    """The report, read from the folders of the finished stages.

    Args:
        reports: The folder reports/.
        judged: The study's claims, judged by the same folder.

    Returns:
        GitHub-flavored Markdown, whose links are relative to reports/.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    download, baseline = (Finished(reports, f).require() for f in ("download", "train/baseline"))
    nets = _nets(reports)
    evaluate, *analyses = (
        Finished(reports, name).require() for name in ("evaluate", *_ANALYSES)
    )
    environment = Environment(
        loader=PackageLoader("convscope.report"),
        autoescape=True,  # what a macro gives is Markdown already
        finalize=markdown.escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = measured_on(download)
    environment.globals |= {module.__name__.split(".")[-1]: module for module in _SENTENCES}
    environment.globals |= {
        "table": Tables(data).table,
        "listing": _listing,
        **{each.__name__: each for each in (markdown.figure, markdown.facts, markdown.files)},
        "grid_of": lambda found: markdown.grid(*found),
        "prose": markdown.prose,
        "int": int,
        "str": str,
    }
    found = environment.get_template("report.md.jinja").render(
        data=data,
        judged=judged,
        download=download,
        baseline=baseline,
        nets=nets,
        evaluate=evaluate,
        **dict(zip(("occluded", "ablated", "identified"), analyses, strict=True)),
    )
    return re.sub(r"\n{3,}", "\n\n", found).strip() + "\n"


@dataclass(frozen=True)
class Tables:
    """The stages' tables as Markdown.

    Attributes:
        data: What was measured on.
    """

    data: DataSet

    def table(
        self,
        folder: Finished,
        name: str,
        caption: str,
        shown: pd.DataFrame | None = None,
        headings: Headings | None = None,
        *,
        classes: Kind | None = None,
        bold: Collection[int] = (),
        notes: Sequence[str] = (),
        folded: bool = False,
    ) -> Markup:
        """A table of a stage, compared with the study's, and behind it what the study published.

        Args:
            folder: The stage's report folder.
            name: The table's file there, without its ending.
            caption: What it shows.
            shown: What of the file is shown; None for all of it.
            headings: Headings and kinds of columns whose names do not tell them.
            classes: The kind of all columns but the first, which are named after classes.
            bold: The places of the rows that stand out.
            notes: Remarks under it.
            folded: Whether a reader opens it first.

        Raises:
            UserError: The file is missing or damaged.
        """
        frame = folder.table(name) if shown is None else shown
        if classes is not None:
            headings = columns.of_classes(frame, classes)
        if training.has_spreads(frame):
            notes = [*notes, "± is the standard deviation of the seeds' own means."]
        frame, more = compare.widened(folder, name, frame, self.data)
        source = f"{folder.name}/{name}.csv"
        try:
            blocks = [
                markdown.table(
                    frame, source, caption, headings, bold=bold, notes=[*notes, *more], folded=folded
                ),
                *(
                    markdown.table(each, source, f"{caption}: {what}", named, folded=True)
                    for what, each, named in compare.all_published(folder, name)
                ),
            ]
        except ValueError as error:
            raise folder.damaged(f"{name}.csv", str(error)) from None
        return Markup("\n\n".join(blocks))


def _listing(folder: Finished, name: str, caption: str, folded: bool = False) -> Markup:
    """A JSON document as a table, nested keys joined by dots; empty values are left out."""
    values = {key: value for key, value in _flat(folder.json(name)).items() if value}
    frame = pd.DataFrame({"Key": list(values), "Value": list(values.values())})
    return markdown.table(frame, f"{folder.name}/{name}.json", caption, folded=folded)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = _plain(value)
    return flat


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if value is None or isinstance(value, bool):
        return {None: "all", True: "yes", False: "no"}[value]
    return str(value)


def _nets(reports: Path) -> list[Finished]:
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
    return [Finished(reports, f"train/{name}") for name in names]


def _natural(name: str) -> list[str | int]:
    """A sort key that takes digits for numbers: text and numbers alternate."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
