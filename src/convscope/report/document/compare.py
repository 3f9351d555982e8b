"""Tables next to the study's own: what it published, and how far the measured numbers are off."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from convscope.base.names import AXES, STUDY_ACCURACY, STUDY_MEASURED, STUDY_OVERFIT
from convscope.base.report_folder import Finished
from convscope.report.document import columns
from convscope.report.document.columns import AS_IS, DIFFERENCE, PUBLISHED, Headings
from convscope.study import published

_CLASS_ACCURACY = "filter-ablation/class_accuracy"
_FREQUENCY = "filter-identify/class_frequency"
# tables with a column for each class, as the study counts images
_BY_CLASS = ("filter-ablation/confusion_", _FREQUENCY)
# what the table itself compares; folded tables behind it have every number that was published
_MEASURES = {
    **{name: ("test_accuracy",) for name in published.KEYS if "/by_" in name},
    **{name: ("train_accuracy", "test_accuracy") for name in published.KEYS if "/best" in name},
    "train/net2/by_epoch": ("test_accuracy", "overfit_percent"),
    "train/net4/overfit_above": ("overfit_percent",),
    "evaluate/best": ("test_accuracy",),
    _CLASS_ACCURACY: ("before_percent", "after_percent", "drop_points"),
    "filter-ablation/between_groups": ("before", "after"),
    _FREQUENCY: ("max_class",),
    "filter-identify/responses": ("mean", "max"),
    "filter-identify/patch_sizes": ("patch_size",),
}
# what stands beside a published number instead of these, where it was measured: like for like
_LIKE_FOR_LIKE = {"test_accuracy": STUDY_ACCURACY, "overfit_percent": STUDY_OVERFIT}
_COMPARED, _HIGHEST = "evaluate/best", "best_study_accuracy"


def widened(folder: Finished, name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """What is shown of the table ``name``.csv with the published values behind its own, and notes.

    The columns ``x_published`` and, of numbers, ``x_difference`` are added where it shares rows
    with the study's; the notes say what the two do not share.

    Raises:
        ValueError: The table lacks its key columns, or has several rows for one key.
    """
    source = f"{folder.name}/{name}"
    if source not in _MEASURES:
        return frame, []
    if source == _FREQUENCY and not {*frame}.issuperset(published.study()["classes"]):
        return frame, ["The study counts other classes."]
    if _is_of_another_epoch(folder, name):
        return frame, []
    keys, study = published.KEYS[source], published.table(source)
    measures = [measure for measure in _MEASURES[source] if measure in frame]
    like = _LIKE_FOR_LIKE
    if source == _COMPARED:
        # the study's is the highest of any epoch
        like, study = {"test_accuracy": _HIGHEST}, study.assign(**{_HIGHEST: study[STUDY_ACCURACY]})
    if like := {usual: own for usual, own in like.items() if {usual, own} <= {*frame}}:
        frame = _first(frame, like)
        measures = [like.get(measure, measure) for measure in measures]
    if absent := [key for key in keys if key not in frame]:
        raise ValueError(f"it has no column {absent[0]}")
    found = published.compare(frame[[*keys, *measures]], study, keys)
    # a total over other rows than the study's is not a match
    if keys and found.rows[found.rows[keys[0]] != "overall"].empty:
        rows = _points(found.missing)
        return frame, [f"The study has other rows, which were not measured: {rows}."]
    both = _joined(frame, found.rows, keys)
    order = [f"{column}{ending}" for column in frame for ending in ("", PUBLISHED, DIFFERENCE)]
    shown = both[[column for column in order if column in both]]
    return shown, _notes(source, study, found.missing)


def all_published(folder: Finished, name: str) -> list[tuple[str, pd.DataFrame, Headings]]:
    """All that the study printed of the table ``name``.csv: names, tables and their headings."""
    source = f"{folder.name}/{name}"
    if source not in published.KEYS or _is_of_another_epoch(folder, name):
        return []
    if source.startswith(_BY_CLASS):
        return _by_class(source, folder.table(name))
    tables = {"every number published": published.table(source)}
    if source == _CLASS_ACCURACY:
        tables["as the study printed it, of 316 images"] = published.printed_class_accuracy()
    return [(what, *_every_number(folder, name, study)) for what, study in tables.items()]


def contradictions() -> list[str]:
    """Where the study's own table of classes, which its text goes by, and its matrices part."""
    sides = (published.printed_class_accuracy(), published.table(_CLASS_ACCURACY))
    printed, counted = (-table.set_index("class")["drop_points"].drop("overall") for table in sides)
    gains = [
        f"{name} {printed[name]:+z.0f} against {counted[name]:+z.1f}" for name in printed.index
    ]
    return [
        "The study's text goes by a table of 316 images, which its own matrices of all 10,000 "
        f"contradict. Gained, in points, by that table against by the matrices: {', '.join(gains)}."
    ]


def every_table() -> list[tuple[str, pd.DataFrame, Headings]]:
    """All that the study printed: each table's name, its rows and their headings."""
    tables = {source: published.table(source) for source in published.KEYS}
    tables[f"{_CLASS_ACCURACY}, as printed, of 316 images"] = published.printed_class_accuracy()
    return [
        (
            source,
            study.drop(columns=[*STUDY_MEASURED], errors="ignore"),
            columns.of_classes(study, columns.COUNT) if source.startswith(_BY_CLASS) else {},
        )
        for source, study in tables.items()
        if not source.endswith("/best_study")  # the same as its best
    ]


def _is_of_another_epoch(folder: Finished, name: str) -> bool:
    """Whether a network's best epoch was found by another way of testing than the study's."""
    return name == "best" and folder.has("best_study.csv")


def _every_number(
    folder: Finished, name: str, study: pd.DataFrame
) -> tuple[pd.DataFrame, Headings]:
    """A row for each number of the study's table, with values as they are printed."""
    measured, keys = folder.table(name), published.KEYS[f"{folder.name}/{name}"]
    unmeasured = [own for own in STUDY_MEASURED if own in study and own not in measured]
    study = study.drop(columns=unmeasured)
    numbers = [str(name) for name in study.select_dtypes("number") if name not in keys]
    both = study
    if {*keys} <= {*measured}:
        both = _joined(study, published.compare(measured, study, keys).rows, keys)
    rows = [
        {**{key: row[key] for key in keys}, **_printed(number, row)}
        for row in both.to_dict("records")
        for number in numbers
        if pd.notna(row[number])
    ]
    sides = ("Published", "Measured", "Difference")
    return pd.DataFrame(rows), {side: (side, AS_IS) for side in sides}


def _by_class(source: str, measured: pd.DataFrame) -> list[tuple[str, pd.DataFrame, Headings]]:
    """The study's own counts of each class, and ours less theirs where both have the same."""
    (key,), classes = published.KEYS[source], published.study()["classes"]
    theirs = published.table(source).set_index(key)[classes]
    found = [("published", theirs, columns.COUNT)]
    if {key, *classes} <= {*measured} and {*measured[key]} >= {*theirs.index}:
        ours = measured.set_index(key).loc[theirs.index, classes]
        found.append(("measured minus published", ours - theirs, columns.COUNT.difference))
    return [
        (what, frame.reset_index(), columns.of_classes(frame.reset_index(), kind))
        for what, frame, kind in found
    ]


def _first(frame: pd.DataFrame, like: Mapping[str, str]) -> pd.DataFrame:
    """A table in which what is like for like stands before the usual measures."""
    order = [name for name in frame if name not in like.values()]
    for usual, own in like.items():
        order.insert(order.index(usual), own)
    return frame[order]


def _joined(frame: pd.DataFrame, rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """A table with what a comparison has for its rows; nothing where it has none."""
    return frame.merge(rows, on=[*keys], how="left") if keys else frame.join(rows)


def _printed(number: str, row: Mapping[Hashable, Any]) -> dict[str, str]:
    """A number of the study's, ours, and what lies between."""
    label, kind = columns.known(number)
    heading, signed = columns.known(f"{number}{DIFFERENCE}")
    # a run's number counts nothing
    apart = signed.show(None if number == "run" else row.get(f"{number}{DIFFERENCE}"))
    if apart != columns.NOTHING and heading.endswith("difference (points)"):
        apart += " points"
    ours = kind.show(row.get(f"{number}_measured"))
    theirs = kind.show(row[number])
    return {"Number": label, "Published": theirs, "Measured": ours, "Difference": apart}


def _notes(source: str, study: pd.DataFrame, missing: pd.DataFrame) -> list[str]:
    """What a reader must know of the study's table to compare with it."""
    keys, notes = published.KEYS[source], []
    if not missing.empty:
        notes.append(f"Not measured, of the study's rows: {_points(missing)}.")
    if not keys:
        settings = [name for name in ("epoch", *AXES) if name in study]
        notes.append(f"The study's best has {_points(study[settings])}.")
    if keys == ("filter",):
        notes.append(
            "A network that is trained anew learns other filters: those of the same number are not "
            "the study's."
        )
    if source == _CLASS_ACCURACY:
        notes.append(
            "The published columns are of all 10,000 images, computed from the study's confusion "
            "matrices; the table that it printed is of 316 images, and below."
        )
    return notes


def _points(frame: pd.DataFrame) -> str:
    """Rows of settings in words: ``"l1_oc 6, 18"`` or ``"l1_oc 6, stride 1; l1_oc 18, stride 2"``.

    Several settings of a row have its names before each value, one has it before all values.
    """
    shown = frame.map(lambda value: value if isinstance(value, str) else f"{value:g}")
    shown = shown.rename(columns=lambda name: columns.known(name)[0].lower())
    if len(shown.columns) == 1:
        return f"{shown.columns[0]} {', '.join(shown.iloc[:, 0])}"
    rows = shown.to_dict("records")
    return "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows)
