"""Text, links, figures and tables as GitHub-flavored Markdown, with all data escaped."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape as html_escape
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from convscope.base.report_folder import Finished
from convscope.report import columns
from convscope.report.columns import SPREAD, Headings, Kind

_SPECIAL = re.compile(r"[\\`*{}\[\]<>|&~$#]|(?<!\w)_|_(?!\w)")



class Fact(NamedTuple):
    """A headline number.

    Attributes:
        label: What it is.
        value: Itself.
        details: What a reader should know of it, a line each.
        section: The identifier of the section that it is from.
    """

    label: str
    value: str
    details: Sequence[str]
    section: str


def escape(value: object) -> Markup:
    """Data as text on one line that means nothing to Markdown or HTML.

    Args:
        value: Anything; what is ``Markup`` is Markdown already and stays as it is.
    """
    if isinstance(value, Markup):
        return value
    return Markup(_SPECIAL.sub(_reference, " ".join(str(value).split())))


def _reference(special: re.Match[str]) -> str:
    # HTML blocks, such as a summary, know references and no backslashes
    named = html_escape(special[0])
    return named if named != special[0] else f"&#{ord(special[0])};"


def prose(text: str) -> Markup:
    """A text in which what stands between backticks is code, and all else is data."""
    pieces = " ".join(text.split()).split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup(
        "".join(
            f"`{piece}`" if place % 2 else _SPECIAL.sub(_reference, piece)
            for place, piece in enumerate(pieces)
            if piece
        )
    )


def link(path: str) -> Markup:
    """A link to a file below reports/."""
    return Markup(f"[{escape(path)}]({quote(path)})")


def figure(folder: Finished, name: str, caption: str) -> Markup:
    """The figure ``name``.png of a stage, with its caption."""
    path = f"{folder.name}/{name}.png"
    return Markup(f"![{escape(caption)}]({quote(path)})\n\n{_captioned(caption, path)}")


def facts(found: Iterable[Fact]) -> Markup:
    """Headline numbers, side by side on the page."""
    lines = [
        "<br>".join([f"- [{escape(label)}](#{quote(section)}) **{escape(value)}**"]
                    + [escape(each) for each in details])
        for label, value, details, section in found
    ]
    return Markup("\n".join(['<div class="facts">', "", *lines, "", "</div>"]))


def files(folder: Finished, found: Mapping[str, str]) -> Markup:
    """Tables of a stage that are linked and not shown: their names, and what each holds.

    Raises:
        UserError: One is missing or damaged.
    """
    for name in found:
        folder.table(name)
    return Markup(
        "\n".join(
            f"- {escape(what)}: {link(f'{folder.name}/{name}.csv')}" for name, what in found.items()
        )
    )


def table(
    frame: pd.DataFrame,
    source: str,
    caption: str,
    headings: Headings | None = None,
    *,
    bold: Collection[int] = (),
    notes: Sequence[str] = (),
    folded: bool = False,
) -> Markup:
    """A table with its caption and notes.

    Args:
        frame: What it shows; a column ``x_std`` goes into the cells of ``x``.
        source: The file that it is from, below reports/.
        caption: What it shows.
        headings: Headings and kinds of columns whose names do not tell them.
        bold: The places of the rows that stand out.
        notes: Remarks under it.
        folded: Whether a reader opens it first.

    Raises:
        ValueError: A value is not a number where one belongs.
    """
    blocks = [grid(frame, headings or {}, bold)]
    if notes:
        blocks.append("\n>\n".join(f"> {prose(note)}" for note in notes))
    if folded:
        summary = f"<details><summary>{escape(caption)}</summary>"
        return Markup("\n\n".join([summary, link(source), *blocks, "</details>"]))
    return Markup("\n\n".join([_captioned(caption, source), *blocks]))


def grid(frame: pd.DataFrame, headings: Headings, bold: Collection[int] = ()) -> Markup:
    """A table's head and rows; see ``table``."""
    spreads = {f"{name}{SPREAD}" for name in frame}
    names = [name for name in frame if name not in spreads]
    found = [headings.get(name) or columns.known(name) for name in names]
    cells = [_cells(frame, name, kind) for name, (_, kind) in zip(names, found, strict=True)]
    rows = [
        [f"**{cell}**" for cell in row] if place in bold else row
        for place, row in enumerate(zip(*cells, strict=True))
    ]
    head = [escape(label) for label, _ in found]
    rule = ["---:" if kind.numeric else "---" for _, kind in found]
    return Markup("\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows]))


def _cells(frame: pd.DataFrame, name: str, kind: Kind) -> list[str]:
    """A column as it is printed, with its spread where it has one."""
    try:
        shown = [kind.show(value) for value in frame[name].tolist()]
        if f"{name}{SPREAD}" in frame:
            spreads = frame[f"{name}{SPREAD}"]
            shown = [
                mean if pd.isna(spread) else f"{mean} ± {kind.show(spread)}"
                for mean, spread in zip(shown, spreads.tolist(), strict=True)
            ]
    except (TypeError, ValueError) as error:
        raise ValueError(f"its column {name} holds something that is not a number") from error
    return [escape(text) for text in shown]


def _captioned(caption: str, path: str) -> str:
    return f"**{escape(caption)}** ({link(path)})"
