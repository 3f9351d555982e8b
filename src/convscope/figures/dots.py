"""Dot plots with a row for each class, network or filter, and how they compare."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import ScalarFormatter

from convscope.figures.style import INK, MUTED, PALETTE, Drawing, brief, chart, fixed, styled

Floats = npt.NDArray[np.float64]

ROW_OF_NAMES = 80  # characters of a legend
MOST_CLASSES = 40  # rows of a chart


@styled()
def before_after(table: pd.DataFrame) -> Drawing:
    """The accuracies of classes with and without some filters, a pair of dots for each class.

    The drops to the right of the rows are before minus after, as in the table: a loss is positive.
    The table has columns class, before_percent and after_percent; its last row is that of all
    classes together. Of more than ``MOST_CLASSES``, those are drawn that change most.
    """
    title = "What each class loses with the selected filters at zero"
    if len(table) - 1 > MOST_CLASSES:
        title += f": the {MOST_CLASSES} most changed of {len(table) - 1:,}"
        changes = (table["before_percent"] - table["after_percent"]).abs().iloc[:-1]
        most = changes.sort_values(ascending=False, kind="stable").index[:MOST_CLASSES]
        table = table.loc[[*sorted(most), table.index[-1]]]
    names = table["class"].tolist()
    old, new = (table[name].to_numpy() for name in ("before_percent", "after_percent"))
    # the last row stands apart
    rows = np.arange(len(names), dtype=float)
    rows[-1] += 0.6
    figure, axes = _rows(rows, names, 170 + 34 * len(names), title)
    _pairs_of_dots(axes, rows, (old, new), ("before", "after"), (PALETTE[0], PALETTE[1]))
    axes.set_xlabel("accuracy (%)")
    _note_rows(axes, rows, [fixed(drop, 1) for drop in old - new], "drop (points)")
    axes.axhline(rows[-1] - 0.8, color="#999999", linewidth=0.8)
    axes.get_yticklabels()[-1].set_fontweight("bold")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled()
def best_runs(table: pd.DataFrame) -> Drawing:
    """The best run of each network, with the interval of its accuracy.

    The table has columns net, test_accuracy and its interval's ends low and high (0..1),
    total_parameters and epoch.
    """
    names = [
        f"{run.net}\n{run.total_parameters:,} parameters\nepoch {run.epoch}"
        for run in table.itertuples()
    ]
    rows = np.arange(len(table), dtype=float)
    title = "Test accuracy of the best run of each network"
    figure, axes = _rows(rows, names, 120 + 64 * len(table), title)
    values = [table[name] for name in ("test_accuracy", "low", "high")]
    accuracy, _ = _intervals(axes, rows, values, color=PALETTE[0], markersize=8, capsize=5)
    for row, value in zip(rows, accuracy, strict=True):
        axes.annotate(
            f"{value:.2f}%", (value, row), (0, 9), textcoords="offset points", ha="center"
        )
    return figure


@styled()
def selection(table: pd.DataFrame) -> Drawing:
    """The best epoch of each network and those that the test images did not choose.

    Args:
        table: Columns net; test_accuracy, low and high (0..1) of the best epoch; the same of the
            run's last epoch with names that begin with ``last_``; and, where there is a column
            chosen_accuracy, of the epoch that validation chose, beginning with ``chosen_``.
    """
    ways = {"best on the test images": ("test_accuracy", "low", "high")} | {
        label: (f"{prefix}_accuracy", f"{prefix}_low", f"{prefix}_high")
        for label, prefix in (("last epoch", "last"), ("chosen on validation images", "chosen"))
        if f"{prefix}_accuracy" in table
    }
    values = {label: [table[name] for name in names] for label, names in ways.items()}
    return _ways(list(table["net"]), values, "Test accuracy by the way of choosing the epoch")


@styled()
def protocols(table: pd.DataFrame) -> Drawing:
    """How the same networks score under several ways of testing them.

    The table has columns net, protocol, and accuracy with its interval's ends low and high (0..1);
    both names keep their order.
    """
    nets, names = table["net"].unique(), table["protocol"].unique()
    wide = table.pivot(index="net", columns="protocol").loc[nets]
    values = {name: [wide[key, name] for key in ("accuracy", "low", "high")] for name in names}
    return _ways(list(nets), values, "Test accuracy by the way of testing")


def _ways(nets: Sequence[str], ways: Mapping[str, Sequence[pd.Series]], title: str) -> Drawing:
    """Accuracies of networks, a row each, in several ways.

    A way has accuracies and the lower and upper ends of their intervals (0..1).
    """
    # long names do not fit into one row
    across = len(ways) if sum(map(len, ways)) < ROW_OF_NAMES else 1
    height = 122 + (20 + 26 * len(ways)) * len(nets) + 18 * -(-len(ways) // across)
    rows = np.arange(len(nets), dtype=float)
    figure, axes = _rows(rows, nets, height, title)
    for index, (label, numbers) in enumerate(ways.items()):
        places = rows + 0.24 * (index - (len(ways) - 1) / 2)
        color = PALETTE[index % len(PALETTE)]
        accuracy, high = _intervals(axes, places, numbers, color=color, capsize=4, label=label)
        for place, end, value in zip(places, high, accuracy, strict=True):
            if np.isfinite(value):
                note = f"{value:.2f}%"
                axes.annotate(note, (end, place), (8, 0), textcoords="offset points", va="center")
    figure.legend(loc="outside lower center", ncols=across)
    return figure


def _intervals(
    axes: Axes, rows: Floats, values: Sequence[pd.Series], **marks: Any
) -> tuple[Floats, Floats]:
    """Draw accuracies with their intervals; what they are, and the upper ends, in percent."""
    accuracy, low, high = (100 * each.to_numpy(dtype=float) for each in values)
    axes.errorbar(accuracy, rows, xerr=[accuracy - low, high - accuracy], fmt="o", **marks)
    axes.set_xlabel("test accuracy (%), with its 95% interval over test images")
    axes.margins(x=0.12)
    return accuracy, high


@styled()
def responses(table: pd.DataFrame) -> Drawing:
    """The mean and the largest response of each filter, on a scale that is logarithmic beyond 1.

    The table has columns filter (name), mean, max and dead (bool).
    """
    names = [f"{each.filter}{' (dead)' if each.dead else ''}" for each in table.itertuples()]
    rows = np.arange(len(table), dtype=float)
    title = "Response of each filter to its top images"
    figure, axes = _rows(rows, names, 190 + 30 * len(table), title)
    axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.axvline(0, color=INK, linewidth=0.9)
    colors = np.where(table["dead"], MUTED, PALETTE[0]).tolist()
    values = (table["max"].to_numpy(), table["mean"].to_numpy())
    _pairs_of_dots(axes, rows, values, ("largest", "mean of the top images"), (colors, colors))
    _note_rows(axes, rows, [brief(mean) for mean in table["mean"]], "mean")
    axes.set_xlabel("response: sum over the feature map before ReLU (logarithmic beyond \u00b11)")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _rows(rows: Floats, names: Sequence[str], height: float, title: str) -> tuple[Drawing, Axes]:
    """An empty chart and its panel with named rows, the first at the top, no lines between them."""
    figure, [[axes]] = chart(900, height, title)
    axes.set_yticks(rows, names)
    axes.set_ylim(rows[-1] + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    return figure, axes


def _note_rows(axes: Axes, rows: Floats, notes: Sequence[str], heading: str) -> None:
    """Write a text to the right of each row, and a heading above them."""
    for row, note in zip(rows, notes, strict=True):
        axes.text(1.01, row, note, transform=axes.get_yaxis_transform(), va="center")
    axes.set_title(heading, loc="right", size=9, color=MUTED)


def _pairs_of_dots(
    axes: Axes,
    rows: Floats,
    values: tuple[Floats, Floats],
    labels: tuple[str, str],
    colors: tuple[str | list[str], str | list[str]],
) -> None:
    """Draw a ring and a dot in each row, joined by a line; equal values show as a dot in a ring."""
    axes.hlines(rows, *values, color="#bbbbbb", linewidth=3, zorder=1)
    ring: dict[str, Any] = {"s": 84, "facecolor": "white", "linewidth": 2, "zorder": 2}
    axes.scatter(values[0], rows, edgecolor=colors[0], label=labels[0], **ring)
    axes.scatter(values[1], rows, s=34, color=colors[1], label=labels[1], zorder=3)
