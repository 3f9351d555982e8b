"""Read the stages' report folders into parts of a document."""

import csv
import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from convscope.base import files
from convscope.base.errors import UserError
from convscope.report import columns
from convscope.report.columns import Kind
from convscope.report.document import Cell, Column, Figure, Role, Row, Table

_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">8s4x4sII")


@dataclass(frozen=True)
class Sheet:
    """A CSV file as it is: every value stays the text that the file has.

    Attributes:
        path: The file.
        source: The same, below reports/.
        made_by: The stage that makes it.
        header: Column names.
        rows: Values, as many in each row as there are columns.
    """

    path: Path
    source: str
    made_by: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        """The values of a column.

        Raises:
            UserError: The file has no such column.
        """
        if name not in self.header:
            raise files.damaged(self.path, self.made_by, f"it has no column {name}")
        index = self.header.index(name)
        return [row[index] for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """The values of a column, as numbers.

        Raises:
            UserError: The file has no such column, or a value of it is no number.
        """
        try:
            return [float(value) for value in self.column(name)]
        except ValueError as error:
            raise files.damaged(self.path, self.made_by, str(error)) from None

    def only(self, names: Iterable[str]) -> "Sheet":
        """The same with some of its columns.

        Raises:
            UserError: The file lacks one of them.
        """
        chosen = list(names)
        values = [self.column(name) for name in chosen]
        rows = tuple(zip(*values, strict=True))
        return replace(self, header=tuple(chosen), rows=rows)

    def table(
        self,
        caption: str,
        *,
        open_columns: tuple[slice, Kind] | None = None,
        rows: Iterable[int] | None = None,
        marked: Mapping[int, Role] | None = None,
        notes: Sequence[str] = (),
        folded: bool = False,
    ) -> Table:
        """A table of the document.

        Args:
            caption: What it shows.
            open_columns: Where the columns are that are named after classes or networks, and the
                kind of them all; the other columns' meanings follow from their names.
            rows: Which rows, in which order; None takes all as they are.
            marked: Roles of rows that stand out.
            notes: Printed under it.
            folded: Whether a reader opens it first.

        Raises:
            UserError: A value is no number where one belongs.
        """
        found = [columns.known(name) for name in self.header]
        if open_columns is not None:
            where, kind = open_columns
            found[where] = [(name, kind) for name in self.header[where]]
        roles = marked or {}
        return Table(
            caption=caption,
            source=self.source,
            columns=tuple(
                Column(label, name, kind.numeric)
                for name, (label, kind) in zip(self.header, found, strict=True)
            ),
            rows=tuple(
                Row(
                    tuple(
                        self.cell(value, kind)
                        for value, (_, kind) in zip(self.rows[index], found, strict=True)
                    ),
                    roles.get(index, "plain"),
                )
                for index in (range(len(self.rows)) if rows is None else rows)
            ),
            notes=tuple(notes),
            folded=folded,
        )

    def cell(self, value: str, kind: Kind) -> Cell:
        """A value as a table's cell.

        Raises:
            UserError: It is no number where one belongs.
        """
        try:
            return Cell(kind.show(value), value)
        except ValueError as error:
            raise files.damaged(self.path, self.made_by, str(error)) from None


@dataclass(frozen=True)
class Folder:
    """The report folder of a finished stage.

    Attributes:
        reports: The folder reports/.
        name: The stage's folder below it.
        stage: The stage, as the command line names it.
    """

    reports: Path
    name: str
    stage: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.reports / self.name

    @cached_property
    def params(self) -> dict[str, Any]:
        """The parameters that the stage used.

        Raises:
            UserError: params.json is missing or damaged.
        """
        return self.json("params")

    def json(self, name: str) -> dict[str, Any]:
        """A JSON document of the stage.

        Raises:
            UserError: The file is missing or damaged.
        """
        path = self.path / f"{name}.json"
        content = files.read_json(path, self.stage)
        if not isinstance(content, dict):
            raise files.damaged(path, self.stage, "it holds no mapping")
        return content

    def sheet(self, name: str) -> Sheet:
        """A table of the stage.

        Raises:
            UserError: The file is missing or is not a whole table.
        """
        path = self.path / f"{name}.csv"
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                text = stream.read()
            header, *rows = [tuple(row) for row in csv.reader(io.StringIO(text))] or [()]
        except FileNotFoundError:
            raise files.missing(path, self.stage) from None
        except (OSError, ValueError, csv.Error) as error:
            raise files.damaged(path, self.stage, str(error)) from None
        if not text.endswith("\n"):
            raise files.damaged(path, self.stage, "its last line is cut")
        if not header or any(len(row) != len(header) for row in rows):
            raise files.damaged(path, self.stage, "its rows are not all as long as its first")
        return Sheet(path, self.link(path.name), self.stage, header, tuple(rows))

    def filled(self, name: str) -> Sheet:
        """A table of the stage that never is without rows.

        Raises:
            UserError: The file is missing, is not a whole table, or has no rows.
        """
        sheet = self.sheet(name)
        if not sheet.rows:
            raise files.damaged(sheet.path, self.stage, "it has no rows")
        return sheet

    def figure(self, name: str, caption: str) -> Figure:
        """A figure of the stage.

        Raises:
            UserError: The file is missing or is no PNG picture.
        """
        path = self.path / f"{name}.png"
        try:
            content = path.read_bytes()
            signature, chunk, width, height = _IHDR.unpack_from(content)
        except FileNotFoundError:
            raise files.missing(path, self.stage) from None
        except (OSError, struct.error) as error:
            raise files.damaged(path, self.stage, str(error)) from None
        if (signature, chunk) != (_PNG, b"IHDR"):
            raise files.damaged(path, self.stage, "it is no PNG picture")
        return Figure(caption, self.link(path.name), content, width, height)

    def has(self, file: str) -> bool:
        """Whether the stage wrote a file that it does not always write."""
        return (self.path / file).is_file()

    def named(self, pattern: str) -> list[str]:
        """The names, without their endings, of the files that match a pattern, sorted."""
        return sorted(path.stem for path in self.path.glob(pattern))

    def link(self, file: str) -> str:
        """The path of one of its files below reports/."""
        return f"{self.name}/{file}"


def finished(reports: Path, name: str, stage: str) -> Folder:
    """The report folder of a stage that must have run.

    Args:
        reports: The folder reports/.
        name: The stage's folder below it.
        stage: The stage, as the command line names it.

    Raises:
        UserError: The folder is not there.
    """
    folder = Folder(reports, name, stage)
    if not folder.path.is_dir():
        raise UserError(
            f"{folder.path} is missing: run `convscope {stage}` (or `dvc repro`) before the report"
        )
    return folder
