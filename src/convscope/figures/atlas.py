"""What single filters are worth, layer by layer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from convscope.figures.style import INK, PALETTE, Drawing, brief, chart, fixed, styled

# steps by the golden ratio spread filters evenly, however many there are
JITTER = (5**0.5 - 1) / 2
# the linear part of the scale reaches at least so many images
LINEAR_IMAGES = 18
# numbers that end the linear part and mark the logarithmic one, times powers of ten
ROUND = (1, 2, 5, 10)
_DOTS: dict[str, Any] = {"marker": "o", "markersize": 4.5, "color": PALETTE[0], "alpha": 0.6}
_FILLED = _DOTS | {"markeredgewidth": 0}
_HOLLOW = _DOTS | {"markerfacecolor": "none", "markeredgewidth": 0.8}


@styled()
def atlas(table: pd.DataFrame, significant: Sequence[bool], images: int) -> Drawing:
    """The drop in accuracy by single filters, layer by layer, with the median of each layer.

    The scale is linear around 0, up to a round number of points that are ``LINEAR_IMAGES`` images
    or more, and logarithmic beyond on either side, so that a few filters with large drops
    leave room for the others; it is linear throughout if no drop lies beyond. Points are spread
    sideways by the filter's index, which has no meaning. The filter with the largest drop of each
    layer is named, with its drop.

    Args:
        table: Columns layer, filter and drop_percent (points of accuracy; negative: a gain).
        significant: Of each row, whether its drop is more than chance explains; others are hollow.
        images: How many images the accuracies are of.
    """
    layers = list(table["layer"].unique())
    filled = np.asarray(significant, dtype=bool)
    title = "What the network loses with a single filter at zero"
    figure, [[axes]] = chart(max(700, 110 + 170 * len(layers)), 580, title)
    linear = _linear_part(100 * LINEAR_IMAGES / images)
    logarithmic = bool(table["drop_percent"].abs().max() > linear)
    if logarithmic:
        axes.set_yscale("symlog", linthresh=linear)
    axes.axhline(0, color=INK, linewidth=0.9)
    for column, layer in enumerate(layers):
        own = (table["layer"] == layer).to_numpy()
        _draw_layer(axes, column, table[own], filled[own])
    counts = table.groupby("layer").size()
    axes.set_xticks(range(len(layers)), [f"{name}\n{counts[name]} filters" for name in layers])
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("drop in test accuracy (points)")
    axes.margins(y=0.08)
    if logarithmic:
        _mark(axes, linear)
    handles = [
        Line2D([], [], **_FILLED, linestyle="", label="more than chance explains"),
        Line2D([], [], **_HOLLOW, linestyle="", label="may be chance"),
        Line2D([], [], color=PALETTE[1], linewidth=2, label="median of the layer"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _linear_part(wanted: float) -> float:
    """Where the linear part of the scale ends: a round number of at least so many points."""
    # a hair less, or 100 * 18 / 360 and the like would miss the round number they should be
    wanted *= 1 - 1e-9
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * step for step in ROUND if power * step >= wanted)


def _draw_layer(
    axes: Axes, column: int, rows: pd.DataFrame, significant: npt.NDArray[np.bool_]
) -> None:
    """Draw the filters of a layer and their median, and name the one with the largest drop."""
    drops = rows["drop_percent"]
    spread = 0.64 * ((rows["filter"] * JITTER) % 1 - 0.5)
    for drawn, look in ((~significant, _HOLLOW), (significant, _FILLED)):
        axes.plot(column + spread[drawn], drops[drawn], **look, linestyle="")
    axes.plot([column - 0.4, column + 0.4], [drops.median()] * 2, color=PALETTE[1], linewidth=2)
    worst = int(drops.to_numpy().argmax())
    axes.annotate(
        f"filter {rows['filter'].iloc[worst]}: {fixed(drops.iloc[worst], 2)}",
        (column + spread.iloc[worst], drops.iloc[worst]),
        (0, 6),
        textcoords="offset points",
        ha="center",
        size=8,
    )


def _mark(axes: Axes, linear: float) -> None:
    """Mark a partly logarithmic scale with plain numbers, and say where it is logarithmic."""
    low, high = axes.get_ylim()
    power = 10.0 ** math.floor(math.log10(linear))
    beyond = [power * 10**decade * step for decade in range(4) for step in ROUND[:-1]]
    sizes = [linear / 2, *(size for size in beyond if size >= linear)]
    ticks = np.array([0, *sizes, *(-size for size in sizes)])
    ticks = ticks[(low <= ticks) & (ticks <= high)]
    axes.set_yticks(ticks, [brief(tick) for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylabel(f"{axes.get_ylabel()[:-1]}; logarithmic beyond \u00b1{linear:g})")
