"""A report as GitHub-flavored Markdown."""

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from convscope.report.document import (
    Code,
    Document,
    Facts,
    Figure,
    Files,
    Heading,
    Judged,
    Judgments,
    Part,
    Row,
    Table,
    Text,
)
from convscope.report.wording import spans

_SPECIAL = re.compile(r"[\\`*{}\[\]<>|&~$#]|(?<!\w)_|_(?!\w)")


def render(document: Document) -> str:
    """A report as Markdown, its figures as images.

    Args:
        document: The report.

    Returns:
        The text. Its links to files are relative to reports/.
    """
    blocks = [f"# {_escaped(document.title)}: {_escaped(document.subtitle)}"]
    for section in document.sections:
        blocks.append(f"## {_escaped(section.title)}")
        blocks += [_part(part) for part in section.parts]
    return "\n\n".join(blocks) + "\n"


def _part(part: Part) -> str:
    match part:
        case Text(text):
            return _prose(text)
        case Heading(text):
            return f"### {_escaped(text)}"
        case Code(lines):
            return "\n".join(["```", *lines, "```"])
        case Facts(facts):
            return _items(
                f"**{_escaped(fact.label)}: {_escaped(fact.value)}** "
                f"({_escaped('; '.join(fact.details))})"
                for fact in facts
            )
        case Files(files):
            return _items(f"{_escaped(what)}: {_link(path)}" for what, path in files)
        case Figure(caption=caption, source=source):
            return f"![{_escaped(caption)}]({quote(source)})\n\n{_caption(caption, source)}"
        case Judgments(source, judged):
            listed = (_judged(each) for each in judged)
            return "\n\n".join([_caption("The claims one by one", source), *listed])
        case Table():
            return _table(part)


def _table(table: Table) -> str:
    """A table with its notes, folded if a reader opens it first."""
    blocks = [_grid(table), *map(_prose, table.notes)]
    if table.folded:
        summary = f"<details><summary>{escape(table.caption)}</summary>"
        return "\n\n".join([summary, _link(table.source), *blocks, "</details>"])
    return "\n\n".join([_caption(table.caption, table.source), *blocks])


def _judged(claim: Judged) -> str:
    """A claim: its verdict, its numbers, and folded what it rests on."""
    head = f"**{claim.number}. {_escaped(claim.statement)}** {claim.topic}: **{claim.verdict}**"
    caveat = f" ({claim.caveat})" if claim.caveat else ""
    return "\n\n".join(
        [
            head + caveat,
            *([_grid(claim.numbers)] if claim.numbers.rows else []),
            *([f"Remark: {_prose(claim.why)}."] if claim.why else []),
            "<details><summary>Rule</summary>",
            _escaped(claim.rule),
            "</details>",
        ]
    )


def _grid(table: Table) -> str:
    lines = [
        _line(_escaped(column.label) for column in table.columns),
        _line("---:" if column.numeric else "---" for column in table.columns),
        *(_row(row) for row in table.rows),
    ]
    return "\n".join(lines)


def _row(row: Row) -> str:
    texts = [_escaped(cell.text) for cell in row.cells]
    return _line(texts if row.role == "plain" else (f"**{text}**" for text in texts))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _caption(caption: str, source: str) -> str:
    return f"**{_escaped(caption)}** ({_link(source)})"


def _link(path: str) -> str:
    return f"[{_escaped(path)}]({quote(path)})"


def _items(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _prose(text: str) -> str:
    """Text with what stands between backticks as code."""
    return "".join(
        f"`{piece}`" if is_code else _SPECIAL.sub(r"\\\g<0>", piece)
        for piece, is_code in spans(" ".join(text.split()))
    )


def _escaped(text: str) -> str:
    """Text without a meaning to Markdown, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
