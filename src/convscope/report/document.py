"""What a report is made of, as plain data: no file is read and nothing is rendered here."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Role = Literal["plain", "best", "total"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar = "heading"
    text: str


@dataclass(frozen=True)
class Code:
    """Command lines."""

    kind: ClassVar = "code"
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A headline number.

    Attributes:
        label: What it is.
        value: Itself.
        details: What a reader should know of it, a line each.
        section: The identifier of the section that it is from.
    """

    label: str
    value: str
    details: tuple[str, ...]
    section: str


@dataclass(frozen=True)
class Facts:
    """Headline numbers side by side."""

    kind: ClassVar = "facts"
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Files:
    """Files that are linked and not shown.

    Attributes:
        files: What each holds, and its path below reports/.
    """

    kind: ClassVar = "files"
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """A table's column: its heading, its name in the file, and whether it sorts as numbers."""

    label: str
    name: str
    numeric: bool


@dataclass(frozen=True)
class Cell:
    """A value as shown, and as the file has it, which is what a column is sorted by."""

    text: str
    value: str


@dataclass(frozen=True)
class Row:
    """A table's row; ``"best"`` stands out, ``"total"`` comes last however the table is sorted."""

    cells: tuple[Cell, ...]
    role: Role = "plain"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: What it shows.
        source: The file it comes from, below reports/.
        columns: Its columns.
        rows: Its rows, each with a cell a column.
        notes: Remarks printed under it.
        folded: Whether a reader opens it first.
    """

    kind: ClassVar = "table"
    caption: str
    source: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        caption: What it shows.
        source: The PNG file, below reports/.
        png: Its bytes.
        width: Pixels.
        height: Pixels.
    """

    kind: ClassVar = "figure"
    caption: str
    source: str
    png: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Judged:
    """A claim of the study with its verdict.

    Attributes:
        number: Its place in the list of claims.
        topic: The part of the study that it is from.
        section: The identifier of the report's section on it; empty if there is none.
        statement: The claim.
        verdict: ``"holds"``, ``"does not hold"`` or ``"not measured"``.
        caveat: What of the measured is not as in the study, or empty.
        numbers: What the rule compares, published beside measured; no rows where it has no number.
        rule: What exactly is computed from which file.
        why: Where it fails or what is missing, or empty.
    """

    number: int
    topic: str
    section: str
    statement: str
    verdict: str
    caveat: str
    numbers: Table
    rule: str
    why: str


@dataclass(frozen=True)
class Judgments:
    """The claims of the study.

    Attributes:
        source: The file that has them, below reports/.
        judged: The claims in order.
    """

    kind: ClassVar = "judgments"
    source: str
    judged: tuple[Judged, ...]


Part = Text | Heading | Code | Facts | Files | Table | Figure | Judgments


@dataclass(frozen=True)
class Section:
    """A section: an identifier that is unique in the document, a title, and parts in order."""

    id: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
