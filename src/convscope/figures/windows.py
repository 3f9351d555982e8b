"""Curves over the size of the window that covers a part of an image."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from convscope.figures.curves import LINES
from convscope.figures.style import INK, MUTED, PALETTE, Drawing, apart, chart, styled

MOST_NAMED = 20  # classes


@styled()
def fall_with_window(table: pd.DataFrame) -> Drawing:
    """Mean confidence and accuracy against the window's size, a line for each class.

    The table has columns class, window (pixels), confidence and accuracy (0..1); the rows of class
    "all" are of all images. The lines of more than ``MOST_NAMED`` classes have no names.
    """
    title = "What is left when a gray window covers part of the image"
    many = table["class"].nunique() - 1 > MOST_NAMED
    figure, panels = chart(1150, 480, title, 1, 2)
    units = {"confidence": "mean probability of the true class", "accuracy": "accuracy (%)"}
    for axes, (column, unit) in zip(panels[0], units.items(), strict=True):
        wide = table.pivot(index="window", columns="class", values=column)
        wide = wide[table["class"].unique()] * (100 if column == "accuracy" else 1)
        overall = wide.pop("all")
        styles = [{"color": c, "linestyle": line} for line in LINES for c in PALETTE]
        if many:
            axes.plot(wide.index, wide, linewidth=0.8, color=MUTED, alpha=0.5)
        for (name, values), look in zip([] if many else wide.items(), cycle(styles), strict=False):
            axes.plot(wide.index, values, linewidth=1.4, label=name, **look)
        axes.plot(wide.index, overall, color="black", linewidth=3, label="all")
        axes.set(title=column.capitalize(), xlabel="window size K (pixels)", ylabel=unit)
        axes.set_xticks(wide.index)
        if many:
            axes.legend(axes.get_lines()[-2:], [f"each of {wide.shape[1]:,} classes", "all"])
        else:
            _label_ends(axes)
    return figure


def _label_ends(axes: Axes) -> None:
    """Write each line's label behind its end, joined by its color, apart from each other."""
    low, high = axes.get_ylim()
    lines = axes.get_lines()
    ends = [float(np.asarray(line.get_ydata())[-1]) for line in lines]
    for line, end, y in zip(lines, ends, apart(ends, 0.045 * (high - low)), strict=True):
        x = float(np.asarray(line.get_xdata())[-1])
        axes.annotate(
            str(line.get_label()),
            xy=(x, end),
            xytext=(1.05, (y - low) / (high - low)),
            textcoords="axes fraction",
            color=INK,
            va="center",
            weight="bold" if line.get_label() == "all" else "normal",
            arrowprops={"arrowstyle": "-", "color": line.get_color(), "linewidth": 1.2},
        )
