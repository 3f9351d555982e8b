"""Every number of the study's tables beside the measured one, for a reader to unfold."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from convscope.report import columns
from convscope.report.columns import Kind
from convscope.report.document import Cell, Column, Row, Table
from convscope.study import published

PRINTED = "filter-ablation/class_accuracy"
_NUMBER = (
    Column("Number", "number", numeric=False),
    Column("Published", "published", numeric=True),
    Column("Measured", "measured", numeric=True),
    Column("Difference", "difference", numeric=True),
)
_NAMES = ("run",)  # numbers that count nothing
# tables with a column for each class, as the study counts images
_BY_CLASS = ("filter-ablation/confusion_", "filter-identify/class_frequency")


def every_number(table: Table, name: str, measured: pd.DataFrame) -> list[Table]:
    """Tables, folded, of all that the study printed under a table's name.

    Args:
        table: The table as the report shows it, whose caption and source the new ones have.
        name: A key of ``published.KEYS``.
        measured: The whole file that the table is from.

    Returns:
        For a table with a column for each class the study's own and, where the classes are the
        same, the differences; else one with a row for each number.
    """
    if name.startswith(_BY_CLASS):
        return _by_class(table, name, measured)
    tables = [_long(table, f"{table.caption}: every number published", name, measured)]
    if name == PRINTED:
        caption = f"{table.caption}: as the study printed it, of 316 images"
        printed = published.printed_class_accuracy()
        tables.append(_long(table, caption, name, measured, printed))
    return tables


def _long(
    table: Table,
    caption: str,
    name: str,
    measured: pd.DataFrame,
    study: pd.DataFrame | None = None,
) -> Table:
    """A row for each published number."""
    study = published.table(name) if study is None else study
    keys = published.KEYS[name]
    numbers = [str(name) for name in study.select_dtypes("number") if name not in keys]
    found = (
        {_point(row, keys): row for row in records(measured)} if set(keys) <= {*measured} else {}
    )
    rows = [
        _row(theirs, found.get(_point(theirs, keys), {}), keys, number)
        for theirs in records(study)
        for number in numbers
        if not pd.isna(theirs[number])
    ]
    labels = [(columns.known(key), key) for key in keys]
    named = (Column(label, key, kind.numeric) for (label, kind), key in labels)
    return Table(caption, table.source, (*named, *_NUMBER), tuple(rows), folded=True)


def _row(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], keys: Sequence[str], number: str
) -> Row:
    """A number of the study's, ours, and what lies between."""
    label, kind = columns.known(number)
    value = ours.get(number)
    missing = value is None or pd.isna(value)
    ending, signed = columns.difference(number)
    unit = " points" if "points" in ending else ""
    apart = Cell(columns.NOTHING, "")
    if not missing and number not in _NAMES:
        apart = cell(value - theirs[number], signed)
        apart = Cell(apart.text + unit, apart.value)
    return Row(
        (
            *(cell(theirs[key], columns.known(key)[1]) for key in keys),
            Cell(label, number),
            cell(theirs[number], kind),
            cell(None if missing else value, kind),
            apart,
        )
    )


def _by_class(table: Table, name: str, measured: pd.DataFrame) -> list[Table]:
    """The study's own counts, and ours less theirs where rows and columns are the same."""
    (key,) = published.KEYS[name]
    classes = published.study()["classes"]
    theirs = published.table(name).set_index(key)[classes]
    found = [_wide(table, f"{table.caption}: published", theirs, key, columns.COUNT)]
    if {key, *classes} <= {*measured} and {*measured[key]} >= {*theirs.index}:
        ours = measured.set_index(key).loc[theirs.index, classes]
        caption = f"{table.caption}: measured minus published"
        found.append(_wide(table, caption, ours - theirs, key, columns.CHANGE))
    return found


def _wide(table: Table, caption: str, counts: pd.DataFrame, key: str, kind: Kind) -> Table:
    rows = (
        Row((Cell(str(name), str(name)), *(cell(value, kind) for value in values)))
        for name, values in zip(counts.index, counts.to_numpy().tolist(), strict=True)
    )
    head = Column(columns.known(key)[0], key, numeric=False)
    classes = (Column(name, name, numeric=True) for name in counts.columns)
    return Table(caption, table.source, (head, *classes), tuple(rows), folded=True)


def cell(value: Any, kind: Kind) -> Cell:
    """A value of a frame as a table's cell; a missing one as a dash."""
    text = "" if value is None or pd.isna(value) else str(value)
    return Cell(kind.show(text), text)


def _point(row: Mapping[str, Any], keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[key] for key in keys)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, each by the names of its columns."""
    return [{str(name): value for name, value in each.items()} for each in frame.to_dict("records")]
