"""What a test reads in the report's Markdown: sections, captions, tables, notes and words."""

import re
from html import unescape

CAPTION = re.compile(
    r"^(?:\*\*(.*)\*\* \(\[.*\]\((.*)\)\)|<details><summary>(.*)</summary>)$", re.M
)
# a run's number that leads to its row, and the one in that row
RUN = re.compile(r"(?:\[|<a id=\"[^\"]*-run-\d+\"></a>)(\d+)(?:\]\(#[^)]*-run-\d+\))?")
BAR = re.compile(r"(?<!\\)\|")


def section(text: str, name: str) -> str:
    """A section by its identifier, without its heading."""
    return text.split(f'<a id="{name}"></a>\n')[1].split("\n## ")[0]


def under(text: str, heading: str) -> str:
    """What follows a heading inside a section, in words."""
    return words(text.split(f"\n### {heading}\n")[1].split("\n#")[0])


def words(text: str) -> str:
    """Text on one line, as a reader sees it."""
    return " ".join(unescape(text).split())


def captions(text: str) -> list[str]:
    """The captions of all tables, in order."""
    found = (match for match in CAPTION.finditer(text) if not (match[2] or "").endswith(".png"))
    return [unescape(match[1] or match[3]) for match in found if match[3] != "Rule"]


def table(text: str, caption: str) -> list[str]:
    """The head and the rows of the table under a caption, as a reader sees them."""
    lines = [RUN.sub(r"\1", line) for line in _block(text, caption) if line.startswith("| ")]
    return [unescape(line[2:-2]) for line in lines if not line.startswith("| ---")]


def notes(text: str, caption: str) -> list[str]:
    """The notes under a table."""
    lines = [line for line in _block(text, caption) if line.startswith("> ")]
    return [unescape(line.removeprefix("> ")) for line in lines]


def _block(text: str, caption: str) -> list[str]:
    """The lines from a table's caption to the next caption or heading."""
    (start,) = (
        match.end()
        for match in CAPTION.finditer(text)
        if unescape(match[1] or match[3]) == caption and not (match[2] or "").endswith(".png")
    )
    following = re.compile(rf"{CAPTION.pattern}|^#|^- |^!", re.M).search(text, start)
    return text[start : following.start() if following else None].splitlines()
