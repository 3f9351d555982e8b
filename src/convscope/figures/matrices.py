"""Heat maps of counts: confusion matrices and class frequencies."""

import math
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from convscope.figures.page import TITLE_SIZE, text_width
from convscope.figures.style import (
    COUNTS,
    DIFFERENCE,
    INK,
    MUTED,
    PALETTE,
    Drawing,
    bare,
    chart,
    signed,
    styled,
)

Counts = npt.NDArray[np.int64]
CELL = 40
CELL_TEXT = 7.5
# of more classes the cells have no numbers, and no more of them have columns of their own
MOST_CLASSES = 30
# pixels: a panel of many classes, the least one of few, a name, and what stands beside the cells
LARGE, SMALL, NAME, BESIDE = 1000, 160, 14, 70
BAR = 140  # beside a panel of many classes
SLANTED = 90  # and the longest slanted name for which there is room anyway
LINES: tuple[Any, ...] = ("-", (0, (3, 1.2)))
OUTLINES: tuple[Any, ...] = (PALETTE[1], PALETTE[2])
DIAGONAL = "#e9e9e9"


@styled()
def confusion(
    matrices: Mapping[str, torch.Tensor],
    classes: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    title: str,
    difference: str = "",
) -> Drawing:
    """Confusion matrices, a panel each, with the mistakes between groups outlined.

    Colors show mistakes: the scale ends at the largest count off the diagonal, the same for all
    panels, and the diagonal, which would drown everything else, is gray. A difference has its own
    scale, symmetric around 0, whose end is its largest change off the diagonal; on its diagonal,
    larger changes have the color of the end. Of more than ``MOST_CLASSES`` there are no numbers,
    and a bar says what the colors count.

    Args:
        matrices: By panel title, (n, n) integers; rows true classes, columns predicted ones.
        classes: The n class names.
        groups: Class names by the name of their group; may be empty.
        title: Above all panels.
        difference: The title of the panel, if any, that holds differences, which may be negative.
    """
    counts = {name: matrix.cpu().numpy() for name, matrix in matrices.items()}
    plain = [_mistakes(counts[name]) for name in counts if name != difference]
    columns = len(counts) if len(counts) < 4 else 2
    rows, side = -(-len(counts) // columns), _side(classes)
    bar = BAR if len(classes) > MOST_CLASSES else 0
    width = max(columns * (side + bar), 30 + text_width(title, TITLE_SIZE, "bold"))
    figure, panels = chart(width, rows * side + 100, title, rows, columns)
    for axes in panels.flat[len(counts) :]:
        axes.set_axis_off()
    for axes, (name, matrix) in zip(panels.flat, counts.items(), strict=False):
        changes = name == difference
        end = max(1, *[_mistakes(matrix)] if changes else plain)
        image = axes.imshow(
            matrix if changes else np.ma.masked_array(matrix, np.eye(len(classes), dtype=bool)),
            cmap=DIFFERENCE if changes else COUNTS,
            norm=Normalize(-end if changes else 0, end),
        )
        axes.set_facecolor(DIAGONAL)
        _label(figure, axes, image, matrix, classes, changes)
        axes.set(title=name, xlabel="predicted class", ylabel="true class")
        handles = _outline(axes, classes, groups)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


@styled()
def class_frequency(table: pd.DataFrame) -> Drawing:
    """How often each class is among each filter's top images.

    The table has counts; a row for each filter, its name as the index, and a column for each class.
    Of more than ``MOST_CLASSES``, those are drawn that occur most, in the table's order.
    """
    title = "Classes of the top images"
    if table.shape[1] > MOST_CLASSES:
        title += f" (the {MOST_CLASSES} commonest of {table.shape[1]:,})"
        often = table.sum().sort_values(ascending=False, kind="stable").index[:MOST_CLASSES]
        table = table[[name for name in table if name in set(often)]]
    matrix = table.to_numpy()
    width = max(110 + 62 * table.shape[1], 30 + text_width(title, TITLE_SIZE, "bold"), 420)
    # the names stand aslant below the cells
    longest = max(text_width(name, 9) for name in table)
    below = max(0, round((longest - SLANTED) * math.sqrt(0.5)))
    figure, [[axes]] = chart(width, 150 + 28 * len(table) + below, title)
    image = axes.imshow(matrix, cmap=COUNTS, norm=Normalize(0, max(1, matrix.max())), aspect="auto")
    _annotate(axes, image, matrix, changes=False)
    _name_cells(axes, list(table.index), list(table.columns))
    axes.set(xlabel="class of the image (cells: number of images)", ylabel="filter")
    return figure


def _label(
    figure: Figure,
    axes: Axes,
    image: AxesImage,
    matrix: Counts,
    classes: Sequence[str],
    changes: bool,
) -> None:
    """Name the classes, and say what the colors count: in each cell, or beside many of them."""
    if len(classes) > MOST_CLASSES:
        _name_some(axes, classes)
        whole = MaxNLocator(integer=True)
        figure.colorbar(
            image, ax=axes, shrink=0.6, fraction=0.04, pad=0.01, ticks=whole, label="test images"
        )
    else:
        _annotate(axes, image, matrix, changes)
        _name_cells(axes, classes, classes)


def _side(classes: Sequence[str]) -> float:
    """The side of a panel of a confusion matrix, in pixels, with the names beside its cells."""
    if len(classes) > MOST_CLASSES:
        return LARGE
    longest = max(text_width(name, 9) for name in classes)
    return max(CELL * len(classes), SMALL) + max(BESIDE, longest + 30)


def _name_some(axes: Axes, classes: Sequence[str]) -> None:
    """Name as many rows and columns of a large heat map as there is room for."""
    bare(axes)
    step = -(-len(classes) * NAME // LARGE)
    shown, names = range(0, len(classes), step), classes[::step]
    axes.set_xticks(shown, names, rotation=90, size=6)
    axes.set_yticks(shown, names, size=6)


def _mistakes(matrix: Counts) -> int:
    """The largest absolute value off the diagonal."""
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    return int(np.abs(matrix[off_diagonal]).max(initial=0))


def _annotate(axes: Axes, image: AxesImage, matrix: Counts, changes: bool) -> None:
    """Write each cell's number in ink that shows on the cell's color; zeros are faint."""
    shown = image.get_array()
    assert shown is not None, "imshow was given an array"
    colors = np.asarray(image.to_rgba(shown))
    # masked cells are transparent; the weights are those of the eye (ITU-R BT.601)
    dark = (colors[..., 3] > 0) & (colors[..., :3] @ (0.299, 0.587, 0.114) < 0.55)
    for (row, column), value in np.ndenumerate(matrix):
        text = signed(int(value)) if changes else str(value)
        color = "white" if dark[row, column] else INK if value else MUTED
        axes.text(column, row, text, ha="center", va="center", size=CELL_TEXT, color=color)


def _name_cells(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Name the rows and columns of a heat map and part the cells by thin white lines."""
    bare(axes)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(np.arange(0.5, len(columns) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(rows) - 1), minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(visible=True, which="minor", color="white", linewidth=1)
    axes.set_axisbelow(False)


def _runs(classes: Sequence[str], members: Sequence[str]) -> list[tuple[int, int]]:
    """The stretches (first, one past the last) of neighboring classes that belong to a group."""
    inside = np.array([False, *(name in members for name in classes), False])
    edges = np.flatnonzero(inside[1:] != inside[:-1]).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _outline(
    axes: Axes, classes: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[Line2D]:
    """Outline the cells of one group's classes taken for another group's; the legend's entries."""
    handles = []
    for pair, (true, predicted) in enumerate(permutations(groups, 2)):
        color, line = OUTLINES[pair % 2], LINES[pair % 2]
        for top, bottom in _runs(classes, groups[true]):
            for left, right in _runs(classes, groups[predicted]):
                # inset, so that the outlines of neighboring blocks do not overlap
                corner, size = (left - 0.44, top - 0.44), (right - left - 0.12, bottom - top - 0.12)
                box = Rectangle(corner, *size, fill=False, linewidth=1.8, zorder=3)
                box.set(edgecolor=color, linestyle=line)
                axes.add_patch(box)
        label = f"{true} taken for {predicted}"
        handles.append(Line2D([], [], color=color, linestyle=line, linewidth=1.8, label=label))
    return handles
