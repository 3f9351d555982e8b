"""The report's tables beside the study's own: published values, and differences from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from convscope.base import files
from convscope.base.paths import command_of
from convscope.report import beside, columns
from convscope.report.document import Column, Part, Section, Table
from convscope.report.images import STUDY_DATA_NAME, Images
from convscope.study import published
from convscope.study.published.tables import NETS

_FREQUENCY = "filter-identify/class_frequency"
# what stands beside the study's in the table itself; everything else does in a folded one behind it
_MEASURES = {
    **{name: ("test_accuracy",) for name in published.KEYS if "/by_" in name},
    "train/net2/by_epoch": ("test_accuracy", "overfit_percent"),
    "train/net4/overfit_above": ("overfit_percent",),
    **{f"train/{net}/best": ("train_accuracy", "test_accuracy") for net in NETS},
    "evaluate/best": ("test_accuracy",),
    "filter-ablation/class_accuracy": ("before_percent", "after_percent", "drop_points"),
    "filter-ablation/between_groups": ("before", "after"),
    _FREQUENCY: ("max_class",),
    "filter-identify/responses": ("mean", "max"),
    "filter-identify/patch_sizes": ("patch_size",),
}
_SETTINGS = ("epoch", "l1_oc", "filter_multiplier", "kernel_size", "stride", "dropout_rate")
_OTHER_FILTERS = (
    "A network that is trained anew learns other filters: those of the same number are not the "
    "study's."
)
_RECOMPUTED = (
    "The published columns are of all 10,000 images, computed from the study's confusion matrices; "
    "the table that it printed is of 316 images, and below."
)


def compared(section: Section, images: Images, reports: Path) -> Section:
    """A section whose tables have the study's values beside the measured ones.

    Args:
        section: The section as measured.
        images: What was measured on.
        reports: The folder reports/, which has the tables' files.

    Returns:
        The same with columns "published" and "difference" where a table shares rows with the
        study's of the same name, with a note of the rows that the study has and it has not, and
        behind it folded tables of every number that the study printed there.

    Raises:
        UserError: A table lacks its key columns, or has several rows for one key.
    """
    parts: list[Part] = []
    for part in section.parts:
        if not isinstance(part, Table) or (name := _name(part)) not in published.KEYS:
            parts.append(part)
            continue
        parts.append(_compared(part, images) if name in _MEASURES else part)
        whole = files.read_csv(reports / part.source, command_of(name))
        parts += beside.every_number(part, name, whole)
    return replace(section, parts=tuple(parts))


def _name(table: Table) -> str:
    return table.source.removesuffix(".csv")


def _compared(table: Table, images: Images) -> Table:
    name = _name(table)
    keys = published.KEYS[name]
    names = {column.name for column in table.columns}
    if name == _FREQUENCY and not names.issuperset(published.study()["classes"]):
        return _noted(table, ["The study counts other classes."])
    study = published.table(name)
    measures = [measure for measure in _MEASURES[name] if measure in names]
    path = Path("reports", table.source)
    if absent := [key for key in keys if key not in names]:
        raise files.damaged(path, command_of(name), f"it has no column {absent[0]}")
    try:
        found = published.beside(_frame(table, [*keys, *measures]), study, keys)
    except ValueError as error:
        raise files.damaged(path, command_of(name), str(error)) from None
    rows = _matched(table, found.rows, keys)
    # a total over other rows than the study's is no match
    if not any(match for match, row in zip(rows, table.rows, strict=True) if row.role != "total"):
        return _noted(
            table, [f"The study has other rows, which were not measured: {_points(found.missing)}."]
        )
    for measure in measures:
        table = _widened(table, measure, rows)
    return _noted(table, [_legend(table, images), *_notes(name, study, found.missing)])


def _notes(name: str, study: pd.DataFrame, missing: pd.DataFrame) -> list[str]:
    """What a reader must know of the study's table to compare with it."""
    keys = published.KEYS[name]
    notes = []
    if not missing.empty:
        notes.append(f"Not measured, of the study's rows: {_points(missing)}.")
    if not keys:
        settings = [name for name in _SETTINGS if name in study]
        notes.append(f"The study's best has {_points(study[settings])}.")
    if keys == ("filter",):
        notes.append(_OTHER_FILTERS)
    if name == beside.PRINTED:
        notes.append(_RECOMPUTED)
    return notes


def _frame(table: Table, names: Sequence[str]) -> pd.DataFrame:
    """Columns of a table, with numbers where it sorts by them."""
    places = {column.name: index for index, column in enumerate(table.columns)}
    frame = {}
    for name in names:
        values = pd.Series([row.cells[places[name]].value for row in table.rows], dtype=object)
        numeric = table.columns[places[name]].numeric
        frame[name] = pd.to_numeric(values, errors="coerce") if numeric else values
    return pd.DataFrame(frame)


def _matched(table: Table, rows: pd.DataFrame, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The comparison's row for each row of the table; nothing where the study has none."""
    found = {tuple(each[key] for key in keys): each for each in beside.records(rows)}
    if not keys:
        return [found[()]]
    points = _frame(table, keys).itertuples(index=False, name=None)
    return [found.get(point, {}) for point in points]


def _widened(table: Table, measure: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The table with the study's values of a measure, and the differences, behind its own."""
    place = [column.name for column in table.columns].index(measure) + 1
    label, kind = columns.known(measure)
    added = [(Column(f"{label}, published", f"{measure}_published", kind.numeric), kind)]
    if kind.numeric:
        ending, signed = columns.difference(measure)
        added.append((Column(f"{label}, {ending}", f"{measure}_difference", True), signed))
    new = tuple(column for column, _ in added)
    return replace(
        table,
        columns=(*table.columns[:place], *new, *table.columns[place:]),
        rows=tuple(
            replace(
                row,
                cells=(
                    *row.cells[:place],
                    *(beside.cell(found.get(column.name), form) for column, form in added),
                    *row.cells[place:],
                ),
            )
            for row, found in zip(table.rows, rows, strict=True)
        ),
    )


def _noted(table: Table, notes: Sequence[str]) -> Table:
    return replace(table, notes=(*table.notes, *notes))


def _legend(table: Table, images: Images) -> str:
    """What the added columns are, and of which images where the two sides' differ."""
    subtracted = any(column.name.endswith("_difference") for column in table.columns)
    lead = "Differences are measured minus published" if subtracted else "Published is the study's"
    if images.official:
        return f"{lead}."
    return f"{lead}; published are of {STUDY_DATA_NAME}, the others of {images.called}."


def _points(frame: pd.DataFrame) -> str:
    """Rows of settings in words: ``"l1_oc 6, 18"`` or ``"l1_oc 6, stride 1; l1_oc 18, stride 2"``.

    Several settings of a row have its names before each value, one has it before all values.
    """
    names = [columns.known(name)[0].lower() for name in frame.columns]
    rows = [[_plain(value) for value in row.values()] for row in beside.records(frame)]
    if len(names) == 1:
        return f"{names[0]} {', '.join(value for (value,) in rows)}"
    return "; ".join(
        ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in rows
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
