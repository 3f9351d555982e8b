"""The report's sections on the data, the baseline grid and the networks (study, part 1)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convscope.base import files
from convscope.base.names import AXES as GRID_AXES
from convscope.report import columns, sizes
from convscope.report.document import Cell, Figure, Part, Section, Table, Text
from convscope.report.images import measured_on
from convscope.report.reading import Folder, Sheet
from convscope.report.wording import counted

NETS = {
    "net1": "Two convolutions, each followed by ReLU and pooling, and three fully connected "
    "layers: the tutorial's network with its width, kernel and stride varied.",
    "net2": "net1 with a padded convolution before each of its two: deeper, and prone to overfit.",
    "net3": "net2 with batch normalization after every convolution and dropout before every fully "
    "connected layer; the study trains it on augmented images.",
    "net4": "Six convolutions, narrower and deeper than net3, with batch normalization and "
    "dropout; the study trains it on augmented images.",
}
_FIRST = "dropout_rate"
# the order in which the study varies a network: its tables "by X" follow it
AXES = (_FIRST, *(axis for axis in GRID_AXES if axis != _FIRST), "seed")
_EPOCH = "epoch"
_MEANS = (
    "Means over all epochs of all runs that share the value; the highest test accuracy is marked."
)
_OVERFIT = (
    "Overfit is how many points the training accuracy is above the test accuracy, and 0 where it "
    "is below. Training accuracy is measured while training, with dropout and on augmented images "
    "where there are any, which keeps it low."
)
_SPREADS = "± is the standard deviation of the seeds' own means."


def data(folder: Folder) -> Section:
    """The data: how many images of each class, and what they look like."""
    counts = folder.filled("class_counts")
    return Section(
        "data",
        "The data",
        (
            Text(
                f"The data set is {measured_on(folder).called}: "
                f"{columns.count(sum(counts.numbers('train')))} training and "
                f"{columns.count(sum(counts.numbers('test')))} test images of "
                f"{len(counts.rows)} classes, each 32 × 32 pixels."  # noqa: RUF001
            ),
            counts.table("Images of each class"),
            folder.figure("samples", "The first training images of each class"),
        ),
    )


def baseline(folder: Folder) -> Section:
    """The learning-rate and batch-size grid of the baseline network."""
    about = (
        "Before the networks are compared, the tutorial's network is trained with every pair of "
        "learning rate and batch size."
    )
    return Section(
        "baseline",
        "Baseline: learning rate and batch size",
        (Text(about), *_grid(folder, folder.params.get("net", {}))),
    )


def net(folder: Folder) -> Section:
    """One network's grid."""
    name = folder.path.name
    about = [Text(NETS[name])] if name in NETS else []
    parts = _grid(folder, folder.params.get("net", {}))
    return Section(f"train-{name}", f"Network: {name}", (*about, *parts))


def _grid(folder: Folder, grid: dict[str, Any]) -> tuple[Part, ...]:
    best = folder.filled("best")
    axes, name = _axes(folder, grid), folder.path.name
    varied = {name for name, values in axes.items() if len(values) > 1}
    return (
        *sizes.of_grid(folder),
        folder.figure("network", f"{name}: the network of {_chosen(folder)}, from image to logits"),
        _layers(folder),
        Text(_extent(grid, axes)),
        best.only(name for name in best.header if name not in AXES or name in varied).table(
            "The run and epoch with the highest test accuracy", notes=[_OVERFIT]
        ),
        *_tables(folder),
        *_overfit_above(folder),
        folder.figure("curves", f"{name}: loss and accuracy by epoch, a line for each run"),
        *_dropout(folder),
    )


def _chosen(folder: Folder) -> str:
    """The run whose network is shown and goes on to the analyses."""
    if folder.params.get("train", {}).get("select_on") == "validation":
        return "the run that held-out images chose"
    return "the best run"


def _layers(folder: Folder) -> Table:
    """The network layer by layer, folded: the diagram shows the same."""
    sheet = folder.filled("layers")
    total = columns.count(sum(sheet.numbers("parameters")))
    return sheet.table(
        f"The network of {_chosen(folder)}, layer by layer: {total} parameters", folded=True
    )


def _overfit_above(folder: Folder) -> list[Table]:
    """How much the most accurate epochs overfit, of a network of which the study tells it."""
    if not folder.has("overfit_above.csv"):
        return []
    sheet = folder.sheet("overfit_above")
    notes = [
        f"No epoch has a test accuracy above {columns.percent(accuracy)}."
        for accuracy, epochs in zip(
            sheet.numbers("test_accuracy_above"), sheet.numbers("epochs"), strict=True
        )
        if not epochs
    ]
    return [sheet.table("Mean overfit of all epochs with a high test accuracy", notes=notes)]


def _dropout(folder: Folder) -> list[Figure]:
    """The gap between train and test accuracy with little and with much dropout."""
    if not folder.has("dropout.png"):
        return []
    caption = (
        f"{folder.path.name}: train and test accuracy by epoch with the least and the most "
        f"dropout, all else as in {_chosen(folder)}; train accuracy is measured while training, "
        "with dropout on"
    )
    return [folder.figure("dropout", caption)]


def _axes(folder: Folder, grid: dict[str, Any]) -> dict[str, list[Any]]:
    """The values of each setting that the grid's runs combine."""
    seeds = folder.params.get("train", {}).get("seeds", [0])
    return {key: value for key, value in grid.items() if key in AXES} | {"seed": seeds}


def _extent(grid: dict[str, Any], axes: dict[str, list[Any]]) -> str:
    """How many runs of how many epochs, what they vary and what they share."""
    runs = counted(math.prod(map(len, axes.values())), "run")
    images = "randomly cropped, flipped and colored" if grid.get("augment") else "unchanged"
    varied, shared = (
        "; ".join(
            f"{_words(key)} {', '.join(map(str, values))}"
            for key, values in axes.items()
            if (len(values) > 1) is several
        )
        for several in (True, False)
    )
    sentences = [
        f"{runs} of {counted(grid.get('epochs', 0), 'epoch')} on {images} training images.",
        f"Varied: {varied}." if varied else "",
        f"The same for all: {shared}." if shared else "",
    ]
    return " ".join(filter(None, sentences))


def _words(key: str) -> str:
    """What a column is called, inside a sentence."""
    return columns.known(key)[0].lower()


def _tables(folder: Folder) -> list[Table]:
    """The tables "by X", in the order in which the study varies X, the finer ones first."""
    found = []
    for name in folder.named("by_*.csv"):
        sheet = folder.sheet(name)
        keys = [key for key in sheet.header if key in (_EPOCH, *AXES)]
        first = (_EPOCH, *AXES).index(keys[0]) if keys else len(AXES)
        found.append(((first, -len(keys), name), keys, sheet))
    found.sort(key=lambda item: item[0])
    return [
        _with_spreads(
            sheet.table(
                f"By {' and '.join(map(_words, keys))}",
                marked={highest(sheet): "best"} if len(sheet.rows) > 1 else {},
                notes=[_MEANS],
            )
        )
        for _, keys, sheet in found
    ]


def _with_spreads(table: Table) -> Table:
    """The table with each mean and its standard deviation over the seeds in one cell."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    spreads = {
        place: places[f"{name}_std"] for name, place in places.items() if f"{name}_std" in places
    }
    if not spreads:
        return table
    kept = [place for place in places.values() if place not in spreads.values()]
    return replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        rows=tuple(
            replace(row, cells=tuple(_with_spread(row.cells, place, spreads) for place in kept))
            for row in table.rows
        ),
        notes=(*table.notes, _SPREADS),
    )


def _with_spread(cells: Sequence[Cell], place: int, spreads: Mapping[int, int]) -> Cell:
    mean = cells[place]
    spread = cells[spreads[place]] if place in spreads else None
    if spread is None or not spread.value:
        return mean
    return replace(mean, text=f"{mean.text} ± {spread.text}")


def highest(sheet: Sheet, name: str = "test_accuracy") -> int:
    """The row of the highest value of a column, the first of equals; raises as ``all_highest``."""
    return all_highest(sheet, name)[0]


def all_highest(sheet: Sheet, name: str = "test_accuracy") -> list[int]:
    """The rows of the highest value of a column.

    Raises:
        UserError: The table has no rows.
    """
    values = sheet.numbers(name)
    if not values:
        raise files.damaged(sheet.path, sheet.made_by, "it has no rows")
    return [row for row, value in enumerate(values) if value == max(values)]
