"""Text, links, figures and tables as GitHub-flavored Markdown, with all data escaped."""

import re
from collections.abc import Collection, Sequence
from html import escape as html_escape
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from convscope.base.report_folder import Finished
from convscope.report.document import columns
from convscope.report.document.columns import SPREAD, Headings, Kind

_SPECIAL = re.compile(r"[\\`*{}\[\]<>|&~$#]|(?<!\w)_|_(?!\w)")


def escape(value: object) -> Markup:
    """Data as text on one line that means nothing to Markdown or HTML; ``Markup`` stays."""
    if isinstance(value, Markup):
        return value
    return Markup(_SPECIAL.sub(_reference, " ".join(str(value).split())))


def _reference(special: re.Match[str]) -> str:
    # HTML blocks, such as a summary, know references and no backslashes
    named = html_escape(special[0])
    return named if named != special[0] else f"&#{ord(special[0])};"


def prose(text: str) -> Markup:
    """A text in which what stands between backticks is code, and all else is data."""
    code_or_special, line = f"(`[^`]*`)|{_SPECIAL.pattern}", " ".join(text.split())
    return Markup(re.sub(code_or_special, lambda match: match[1] or _reference(match), line))


def link(path: str) -> Markup:
    """A link to a file below reports/."""
    return Markup(f"[{escape(path)}]({quote(path)})")


def figure(folder: Finished, name: str, caption: str, note: str = "") -> Markup:
    """The figure ``name``.png of a stage, with its caption, and what is to be known of it."""
    path = f"{folder.name}/{name}.png"
    picture = f"![{escape(caption)}]({quote(path)})"
    return _block(picture, _captioned(caption, path), _notes([note] if note else []))


def file(folder: Finished, name: str, what: str) -> Markup:
    """The table ``name``.csv of a stage, linked and not shown: an item of a list."""
    folder.table(name)
    return Markup(f"- {escape(what)}: {link(f'{folder.name}/{name}.csv')}")


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
    """A table with its caption and notes; rows at the places ``bold`` stand out.

    A column ``x_std`` goes into the cells of ``x``. The ``source`` is the table's file below
    reports/; a folded table may have none. ``headings`` are those of columns whose names do not
    tell them.

    Raises:
        ValueError: A value is not a number where one belongs.
    """
    shown = [grid(frame, headings or {}, bold), _notes(notes)]
    if folded:
        summary = f"<details><summary>{escape(caption)}</summary>"
        return _block(summary, link(source) if source else "", *shown, "</details>")
    return _block(_captioned(caption, source), *shown)


def _notes(notes: Sequence[str]) -> str:
    return "\n>\n".join(f"> {prose(note)}" for note in notes)


def grid(frame: pd.DataFrame, headings: Headings, bold: Collection[int] = ()) -> Markup:
    """A table's head and rows; see ``table``."""
    names = [str(name) for name in frame]
    spreads = {f"{name}{SPREAD}" for name in names}
    found = {
        name: headings.get(name) or columns.known(name) for name in names if name not in spreads
    }
    cells = [_cells(frame, name, kind) for name, (_, kind) in found.items()]
    rows = [
        [f"**{cell}**" for cell in row] if place in bold else row
        for place, row in enumerate(zip(*cells, strict=True))
    ]
    head = [escape(label) for label, _ in found.values()]
    rule = ["---:" if kind.numeric else "---" for _, kind in found.values()]
    return Markup("\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows]))


def _cells(frame: pd.DataFrame, name: str, kind: Kind) -> list[str]:
    """A column as it is printed, with its spread where it has one."""
    spread_of = f"{name}{SPREAD}"
    spreads = frame[spread_of].tolist() if spread_of in frame else [None] * len(frame)
    try:
        shown = [
            value if isinstance(value, Markup) else _with_spread(kind, value, spread)
            for value, spread in zip(frame[name].tolist(), spreads, strict=True)
        ]
    except (TypeError, ValueError) as error:
        raise ValueError(f"its column {name} holds something that is not a number") from error
    return [escape(text) for text in shown]


def _with_spread(kind: Kind, value: object, spread: float | None) -> str:
    shown = kind.show(value)
    return shown if spread is None or pd.isna(spread) else f"{shown} ± {kind.show(spread)}"


def run_link(net: str, run: int) -> Markup:
    """A run's number, which leads to its row of the table of all runs."""
    return Markup(f"[{run}](#{quote(_run_id(net, run))})")


def run_anchor(net: str, run: int) -> Markup:
    """A run's number in that row."""
    return Markup(f'<a id="{escape(_run_id(net, run))}"></a>{run}')


def _run_id(net: str, run: int) -> str:
    return f"{net}-run-{run}"


def _captioned(caption: str, path: str) -> str:
    return f"**{escape(caption)}** ({link(path)})"


def _block(*blocks: str) -> Markup:
    """Blocks of text, with an empty line around each."""
    return Markup("\n" + "\n\n".join(filter(None, blocks)) + "\n")
