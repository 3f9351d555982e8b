"""Occlusion maps: of single images, and by position over many images."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from convscope.figures.page import LINE_HEIGHT, Page, pixels, text_width
from convscope.figures.style import COUNTS, INK, SEQUENTIAL, TIMES, Drawing, bare, chart, styled

SCALE = 4
GAP = 10
BAR_WIDTH = 14
BAR_ROOM = 76
BAR_LENGTH = 360
OUTSIDE = "#eeeeee"


@styled()
def confidence_maps(
    images: torch.Tensor, labels: Sequence[str], maps: Mapping[int, torch.Tensor]
) -> Drawing:
    """A row for each image: the image, then its confidence map for each window size.

    A map is drawn at the image's scale and centered in the image's frame, so each of its pixels
    stands where the center of the window stood.

    Args:
        images: (n, 3, H, W) uint8.
        labels: n row labels, such as "cat (0.93)".
        maps: By window size K, (n, H - K + 1, W - K + 1) probabilities of the true class.
    """
    height, width = (SCALE * side for side in images.shape[2:])
    margin = round(max(text_width(label) for label in labels)) + GAP
    across, down = width + GAP, height + GAP
    head = LINE_HEIGHT + 4
    right = margin + (len(maps) + 1) * across
    title = "Confidence in the true class under a gray window (and without one)"
    page = Page(right + BAR_ROOM, head + len(images) * down - GAP, title)
    scale = Normalize(0, 1)
    lefts = dict(zip(maps, range(margin + across, right, across), strict=True))
    for window, left in lefts.items():
        label = f"{window} {TIMES} {window} window"
        page.text(left + width / 2, LINE_HEIGHT / 2, label, ha="center")
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        top = head + row * down
        page.text(0, top + height / 2, label)
        page.picture(pixels(image), margin, top, width, height)
        for window, left in lefts.items():
            values = maps[window][row].numpy()
            tall, wide = (SCALE * side for side in values.shape)
            page.frame(left, top, width, height)
            corner = left + (width - wide) / 2, top + (height - tall) / 2
            page.picture(values, *corner, wide, tall, cmap=SEQUENTIAL, norm=scale)
    length = min(BAR_LENGTH, len(images) * down - GAP)
    bar = page.figure.colorbar(
        ScalarMappable(scale, SEQUENTIAL), cax=page.panel(right, head, BAR_WIDTH, length)
    )
    bar.set_label("confidence")
    bar.outline.set_visible(False)
    return page.figure


@styled()
def by_position(table: pd.DataFrame, size: int) -> Drawing:
    """Two maps for each window size: mean confidence, and where the drop is deepest.

    A cell stands where the center of the window stood; a cross marks the center of the image. The
    deepest drops are shown as how many times as often as by chance, which is each position equally
    often, they are there. Each row of maps shares a scale.

    The table has columns window, row and column of its center in pixels, mean_confidence, and
    deepest_share (0..1); ``size`` is the images' side in pixels.
    """
    windows = table["window"].unique()
    table = table.assign(
        ratio=table["deepest_share"] * table.groupby("window")["row"].transform("size")
    )
    title = "Where a gray window does harm, over many images"
    figure, panels = chart(max(560, 130 + 190 * len(windows)), 460, title, 2, len(windows))
    rows = (
        ("mean_confidence", "mean confidence", SEQUENTIAL, table["mean_confidence"].min()),
        ("ratio", f"deepest drops ({TIMES} chance)", COUNTS, 0),
    )
    for across, (column, label, colors, lowest) in zip(panels, rows, strict=True):
        scale = Normalize(lowest, table[column].max())
        for axes, window in zip(across, windows, strict=True):
            cells = table[table["window"] == window].pivot(
                index="row", columns="column", values=column
            )
            _position_map(axes, cells, size, cmap=colors, norm=scale)
        bar = figure.colorbar(ScalarMappable(scale, colors), ax=list(across), label=label)
        bar.outline.set_visible(False)
    for axes, window in zip(panels[0], windows, strict=True):
        axes.set_title(f"{window} {TIMES} {window} window")
    return figure


def _position_map(axes: Axes, cells: pd.DataFrame, size: int, **coloring: Any) -> None:
    """Draw a value for each position of a window, in the frame of the image, its center marked."""
    centers = cells.index.to_numpy()
    half = (centers[1] - centers[0]) / 2 if len(centers) > 1 else size / 2
    first, last = centers[0] - half, centers[-1] + half
    axes.imshow(cells, extent=(first, last, last, first), **coloring)
    middle = [(size - 1) / 2]
    axes.plot(middle, middle, "+", color="white", markersize=9, markeredgewidth=3)
    axes.plot(middle, middle, "+", color=INK, markersize=8)
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), xticks=[], yticks=[])
    axes.set_facecolor(OUTSIDE)
    bare(axes)
