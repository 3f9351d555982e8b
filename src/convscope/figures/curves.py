"""Curves over epochs."""

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from convscope.base.names import POINT, STUDY_ACCURACY
from convscope.figures.style import (
    INK,
    MUTED,
    PALETTE,
    SEQUENTIAL,
    Drawing,
    chart,
    signed,
    styled,
)

LINES: tuple[Any, ...] = (
    *("-", (0, (5, 2)), (0, (1, 1.4))),
    *((0, (6, 1.5, 1, 1.5)), (0, (2, 4)), (0, (8, 1.5, 1, 1.5, 1, 1.5))),
)
WIDTH = 1.6
WIDTHS = (0.9, 2.4)
BAND = 0.15  # opacity of the seeds' range
# more lines than these in a panel are drawn thinner, in a higher panel, without the steep start
FEW = 6
THINNER = 0.7
HEIGHT, CROWDED_HEIGHT = 330, 500
# the start is one epoch in so many
START = 5
PANELS = {
    "loss": ("Training loss", "cross entropy"),
    "train_accuracy": ("Train accuracy", "accuracy (%)"),
    "test_accuracy": ("Test accuracy", "accuracy (%)"),
    STUDY_ACCURACY: ("Test, the study's way", "accuracy (%)"),
}
# one run's accuracies: dashed is what was measured in training mode on augmented images
AGAINST: dict[str, dict[str, Any]] = {
    "train_accuracy": {"label": "train (running mean)", "color": PALETTE[0], "ls": LINES[1]},
    "test_accuracy": {"label": "test", "color": PALETTE[1]},
    STUDY_ACCURACY: {"label": "test, the study's way", "color": PALETTE[1], "ls": LINES[1]},
}
# look of a value of an axis: arguments of Axes.plot
Looks = dict[str, dict[Any, dict[str, Any]]]


@styled()
def learning_curves(history: pd.DataFrame, title: str) -> Drawing:
    """Loss, train and test accuracy against the epoch, a line for each run of a grid.

    The first axis of the grid that varies gives the color, the second the line style, the third the
    line width; any further ones get a row of panels for each of their values. Where the runs
    have several seeds, the line is their mean, and a band shows their range, least to most.

    All losses share a range of y, and so do all accuracies. Where a panel has many lines, they are
    thinner and the panels higher, and the range leaves out what only the first fifth of the epochs
    reaches: the steep start would press together the lines that it is about. A note says so.
    """
    varying = [axis for axis in POINT if axis != "seed" and history[axis].nunique() > 1]
    crowded = history.groupby(varying[:3]).ngroups > FEW if varying else False
    scale = THINNER if crowded else 1
    looks = _looks(history, varying[:3], scale)
    apart_by = varying[3:]
    parts = list(history.groupby(apart_by)) if apart_by else [((), history)]
    # the names of several axes would be too long for the panel's first line
    gap = " " if len(apart_by) < 2 else "\n"
    height = 70 + (CROWDED_HEIGHT if crowded else HEIGHT) * len(parts)
    shown = {column: words for column, words in PANELS.items() if column in history}
    figure, panels = chart(1280, height, title, len(parts), len(shown))
    for row, (values, part) in zip(panels, parts, strict=True):
        where = _words(dict(zip(apart_by, values, strict=True)))
        for axes, (column, (name, unit)) in zip(row, shown.items(), strict=True):
            _draw_runs(axes, part, column, looks, scale)
            axes.set(title=f"{name}{gap}({where})" if where else name, ylabel=unit)
            _count_epochs(axes)
    _share_y(panels[:, 0])
    _share_y(panels[:, 1:])
    if crowded and (first := _leave_out_start(panels, history)):
        note = f"Range of y: epoch {first} and later; the first ones may lie outside"
        figure.supxlabel(note, size=9, color=MUTED)
    if handles := _legend(looks, history["seed"].nunique(), scale):
        figure.legend(handles=handles, loc="outside right upper")
    return figure


@styled()
def train_against_test(histories: Mapping[str, pd.DataFrame], title: str) -> Drawing:
    """Train and test accuracy against the epoch, the gap between them shaded.

    The histories are, by panel title, the history.csv rows of one run, or of runs that differ in
    their seed only, of which the mean is shown in a band of their range, least to most.
    """
    every = histories.values()
    shown = {name: look for name, look in AGAINST.items() if all(name in each for each in every)}
    width = max(440, 90 + 330 * len(histories))
    figure, panels = chart(width, 400, title, 1, len(histories), sharey=True)
    for axes, (name, history) in zip(panels[0], histories.items(), strict=True):
        by_epoch = 100 * history.groupby("epoch")[list(shown)].agg(["min", "mean", "max"])
        means = by_epoch.xs("mean", axis=1, level=1)
        train, test = means["train_accuracy"], means["test_accuracy"]
        axes.fill_between(means.index, train, test, color=MUTED, alpha=0.2, linewidth=0)
        for column, look in shown.items():
            if history["seed"].nunique() > 1:
                _band(axes, pd.DataFrame(by_epoch[column]), look["color"], BAND)
            axes.plot(means.index, means[column], marker=_marker(len(means)), **look)
        gap = signed(train.iloc[-1] - test.iloc[-1], 1)
        axes.set_title(f"{name}\ntrain \N{MINUS SIGN} test: {gap} points at the end")
        _count_epochs(axes)
    panels[0, 0].set_ylabel("accuracy (%)")
    handles: list[Artist] = [Line2D([], [], **look) for look in shown.values()]
    if any(history["seed"].nunique() > 1 for history in every):
        handles.append(_range_of_seeds(BAND))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


@styled()
def before_and_after(
    before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]
) -> Drawing:
    """Test accuracy, 0..1, after each epoch in two states of the study, a panel for each network.

    Lines that are the same lie on each other: the later one is drawn thinner, and on top.
    """
    nets = list(dict.fromkeys([*before, *after]))
    figure, panels = chart(
        90 + max(350, 290 * len(nets)),
        380,
        "Test accuracy of the best runs",
        1,
        len(nets),
        sharey=True,
    )
    looks = {"before": (before, MUTED, 3.2), "after": (after, PALETTE[0], WIDTH)}
    for axes, net in zip(panels[0], nets, strict=True):
        for curves, color, width in looks.values():
            values = 100 * np.asarray(curves.get(net, ()), dtype=float)
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=color, linewidth=width, marker=_marker(len(values)))
        axes.set_title(net)
        _count_epochs(axes)
    panels[0, 0].set_ylabel("accuracy (%)")
    handles = [
        Line2D([], [], color=color, linewidth=width, label=name)
        for name, (_, color, width) in looks.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _looks(history: pd.DataFrame, axes: list[str], scale: float) -> Looks:
    """How each value of the axes of a grid is drawn: by color, line style and line width."""
    looks: Looks = {}
    for axis, kind in zip(axes, ("color", "linestyle", "linewidth"), strict=False):
        values = sorted(history[axis].unique())
        choices = {
            "color": _colors(len(values)),
            "linestyle": list(islice(cycle(LINES), len(values))),
            "linewidth": list(scale * np.linspace(*WIDTHS, len(values))),
        }[kind]
        looks[axis] = {value: {kind: look} for value, look in zip(values, choices, strict=True)}
    return looks


def _colors(count: int) -> list[Any]:
    """So many different colors; beyond those of the palette, steps along the sequential map."""
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    return list(colormaps[SEQUENTIAL](np.linspace(0, 0.95, count)))


def _draw_runs(axes: Axes, history: pd.DataFrame, column: str, looks: Looks, scale: float) -> None:
    """Draw the runs of one panel; those that differ in the seed only share a look."""
    factor = 1 if column == "loss" else 100
    # without an axis that varies, all runs differ in their seed only
    groups = history.groupby(list(looks)) if looks else [((), history)]
    for values, group in groups:
        look: dict[str, Any] = {"color": PALETTE[0], "linewidth": scale * WIDTH}
        for (_, choices), value in zip(looks.items(), values, strict=True):
            look |= choices[value]
        marker = _marker(group["epoch"].nunique())
        by_epoch = factor * group.groupby("epoch")[column].agg(["min", "mean", "max"])
        if group["seed"].nunique() > 1:
            _band(axes, by_epoch, look["color"], scale * BAND)
        mean = by_epoch["mean"]
        # thin lines in front of thick ones, which would hide them
        axes.plot(mean.index, mean, marker=marker, zorder=2 + 0.1 / look["linewidth"], **look)


def _band(axes: Axes, by_epoch: pd.DataFrame, color: str, opacity: float) -> None:
    """Draw the range of several seeds."""
    ends = by_epoch["min"], by_epoch["max"]
    axes.fill_between(by_epoch.index, *ends, color=color, alpha=opacity, linewidth=0, zorder=1)


def _count_epochs(axes: Axes) -> None:
    """Give a panel an axis of epochs."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _leave_out_start(panels: np.ndarray[Any, Any], history: pd.DataFrame) -> int:
    """Bring the ranges of y nearer to where the lines are after the first epochs.

    Only the top of the losses and the bottom of the accuracies give way, so that no best value
    lies outside, not even that of a run that gets worse. Returns the first epoch that is inside for
    sure; 0 if there are so few that all are.
    """
    start = int(history["epoch"].max()) // START
    later = history[history["epoch"] > start]
    if not start:
        return 0
    accuracies = [name for name in AGAINST if name in history]
    ranges = (
        (panels[0, 0], history["loss"].min(), later["loss"].max()),
        (panels[0, 1], 100 * later[accuracies].min().min(), 100 * history[accuracies].max().max()),
    )
    for axes, low, high in ranges:
        if low < high < np.inf:
            margin = 0.05 * (high - low)
            axes.set_ylim(low - margin, high + margin)
    return start + 1


def _marker(epochs: int) -> str:
    """A line of a single epoch shows by its marker only."""
    return "o" if epochs == 1 else ""


def _words(values: Mapping[str, Any]) -> str:
    """The values of a grid's axes in words: "l1_oc = 6"."""
    return ", ".join(f"{axis} = {value:g}" for axis, value in values.items())


def _legend(looks: Looks, seeds: int, scale: float) -> list[Artist]:
    """A legend entry for each value of each axis, and for what is drawn of several seeds."""
    plain: dict[str, Any] = {"color": INK, "linewidth": scale * WIDTH}
    handles: list[Artist] = [
        Line2D([], [], label=_words({axis: value}), **(plain | look))
        for axis, choices in looks.items()
        for value, look in choices.items()
    ]
    if seeds > 1:
        mean = Line2D([], [], label=f"mean of {seeds} seeds", **plain)
        handles += [mean, _range_of_seeds(scale * BAND)]
    return handles


def _range_of_seeds(opacity: float) -> Patch:
    """What a legend has of a band."""
    return Patch(label="range of the seeds", color=INK, alpha=opacity, linewidth=0)


def _share_y(panels: np.ndarray[Any, Any]) -> None:
    """Give panels the same range of y."""
    for axes in panels.flat[1:]:
        axes.sharey(panels.flat[0])
