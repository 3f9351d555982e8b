"""What single filters are worth, layer by layer."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convscope.figures.style import INK, MUTED, PALETTE, brief, chart, fixed, styled

# steps by the golden ratio spread filters evenly, however many there are
JITTER = (5**0.5 - 1) / 2
# the linear part of the scale reaches at least so many times as far as chance
BEYOND_CHANCE = 3
# numbers that end the linear part and mark the logarithmic one, times powers of ten
ROUND = (1, 2, 5, 10)


@styled
def atlas(
    table: pd.DataFrame,
    chance: float = 0,
    title: str = "What the network loses with a single filter at zero",
) -> Figure:
    """The drop in accuracy by single filters, layer by layer, with the median of each layer.

    The scale is linear around 0, up to a round number of at least three times ``chance`` (1 point
    if that is 0), and logarithmic beyond on either side, so that a few filters with large drops
    leave room for the others; it is linear throughout if no drop lies beyond. Points are spread
    sideways by the filter's index, which has no meaning. The filter with the largest drop of each
    layer is named, with its drop.

    Args:
        table: Columns layer, filter and drop_percent (points of accuracy; negative: a gain).
        chance: Changes smaller than this many points, which may be chance, are on gray; 0 for none.
        title: Above the panel.
    """
    layers = list(table["layer"].unique())
    figure, panels = chart(max(700, 110 + 170 * len(layers)), 580, title=title)
    axes = panels[0, 0]
    linear = _linear_part(chance)
    logarithmic = bool(table["drop_percent"].abs().max() > linear)
    if logarithmic:
        axes.set_yscale("symlog", linthresh=linear)
    axes.axhline(0, color=INK, linewidth=0.9)
    if chance:
        label = f"may be chance (less than {fixed(chance, 2)} points either way)"
        axes.axhspan(-chance, chance, color=MUTED, alpha=0.25, linewidth=0, label=label)
    for column, layer in enumerate(layers):
        _draw_layer(axes, column, table[table["layer"] == layer])
    counts = table.groupby("layer").size()
    axes.set_xticks(range(len(layers)), [f"{name}\n{counts[name]} filters" for name in layers])
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("drop in test accuracy (points)")
    axes.margins(y=0.08)
    if logarithmic:
        _mark(axes, linear)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _linear_part(chance: float) -> float:
    """Where the linear part of the scale ends: a round number well beyond chance."""
    wanted = BEYOND_CHANCE * chance or 1.0
    # a hair less, or 3 x 0.1 and the like would miss the round number that they are meant to be
    wanted *= 1 - 1e-9
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * step for step in ROUND if power * step >= wanted)


def _draw_layer(axes: Axes, column: int, rows: pd.DataFrame) -> None:
    """Draw the filters of a layer and their median, and name the one with the largest drop."""
    drops = rows["drop_percent"]
    spread = 0.64 * ((rows["filter"] * JITTER) % 1 - 0.5)
    axes.scatter(column + spread, drops, s=14, color=PALETTE[0], alpha=0.55, linewidth=0)
    axes.plot(
        [column - 0.4, column + 0.4],
        [drops.median()] * 2,
        color=PALETTE[1],
        linewidth=2,
        label="median of the layer" if column == 0 else None,
    )
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
