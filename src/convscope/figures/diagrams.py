"""A network as a picture: a block for each step from the image to the logits."""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Polygon

from convscope.figures.page import LINE_HEIGHT, TEXT_SIZE, Page, text_width
from convscope.figures.style import MUTED, PALETTE, TIMES, Drawing, styled

COLORS = {
    "image": "#9e9e9e",
    "conv": PALETTE[0],
    "norm": PALETTE[5],
    "relu": PALETTE[1],
    "pool": PALETTE[2],
    "flatten": "#d6d6d6",
    "dropout": PALETTE[4],
    "fc": PALETTE[3],
}
# these change no shape: each is drawn as a slab of the block that it follows
FOLLOWERS = ("norm", "relu", "dropout")
ROWS = ("features", "map", "receptive field", "parameters")
NOTE = (
    "Height: the side of the map; from flatten on, the logarithm of the features. "
    "Thickness of maps: the square root of the features."
)
RULE = "#e4e4e4"
SMALL = TEXT_SIZE - 0.5
LONGEST_LINE = 10  # characters of what a layer is
# how much white is in the color of a block's upper and right side
LID, SIDE = 0.55, 0.3
# pixels of the picture
WIDTH = 954
LEGEND_HEIGHT = 36
ROW_HEIGHT = 18
LEAST_HEIGHT, HEIGHT_PER_PIXEL = 6, 4.2
HEIGHT_PER_DOUBLING = 9
SLAB, VECTOR_SLAB = 5, 7
SLANT_PER_HEIGHT, VECTOR_SLANT = 0.2, 4
SPACE = 10


@dataclass(frozen=True)
class Block:
    """A layer with those that follow it and change no shape, as it is drawn; sizes in pixels."""

    name: str
    what: tuple[str, ...]  # what the layer is, in short lines
    numbers: tuple[str, ...]  # the text for each of ``ROWS``
    slabs: tuple[tuple[str, float], ...]  # each layer's color and thickness, from left to right
    height: float  # of the front
    slant: float  # how far it goes back, to the right and up

    @property
    def breadth(self) -> float:
        """What the drawing takes from left to right."""
        return sum(thickness for _, thickness in self.slabs) + self.slant

    @property
    def width(self) -> float:
        """What the block and its labels take, with some space."""
        lines = [*self.numbers, *self.what]
        return SPACE + max(
            self.breadth, text_width(self.name, weight="bold"), *map(text_width, lines)
        )


@styled()
def network(table: pd.DataFrame, title: str) -> Drawing:
    """A network from left to right, with each step's shape, receptive field and parameters.

    The table is that of ``nets.layer_table``; the title stands before the number of parameters.
    """
    blocks = _blocks(table)
    heads = max(map(text_width, ROWS)) + SPACE
    needed = heads + sum(block.width for block in blocks)
    gap = max(WIDTH - needed, 0) / len(blocks)
    ends = list(accumulate((block.width + gap for block in blocks), initial=heads))
    centers = [sum(pair) / 2 for pair in pairwise(ends)]
    tallest = max(block.height + block.slant for block in blocks)
    floor = LEGEND_HEIGHT + tallest + SPACE
    first_row = floor + (1 + max(len(block.what) for block in blocks)) * LINE_HEIGHT + ROW_HEIGHT
    height = first_row + len(ROWS) * ROW_HEIGHT + LINE_HEIGHT

    page = Page(ends[-1], height, f"{title}: {table['parameters'].sum():,} parameters")
    _legend(page, table)
    middle = LEGEND_HEIGHT + tallest / 2
    page.axes.plot([centers[0], centers[-1]], [middle, middle], color=MUTED, linewidth=1, zorder=0)
    for center, block in zip(centers, blocks, strict=True):
        _draw(page, block, center, middle, floor)
    for index, row in enumerate(ROWS):
        y = first_row + index * ROW_HEIGHT
        page.axes.plot([0, ends[-1]], [y - ROW_HEIGHT / 2] * 2, color=RULE, linewidth=0.7)
        page.text(0, y, row, color=MUTED)
        for center, block in zip(centers, blocks, strict=True):
            page.text(center, y, block.numbers[index], ha="center")
    page.text(0, height - LINE_HEIGHT / 2, NOTE, color=MUTED, size=SMALL)
    return page.figure


def _kind(layer: str) -> str:
    """What kind of layer a name is of: ``"conv"`` for ``"conv3"``."""
    return layer.rstrip("0123456789")


def _blocks(table: pd.DataFrame) -> list[Block]:
    """The table's layers, those that change no shape put to the one before."""
    number = (~table["layer"].map(_kind).isin(FOLLOWERS)).cumsum()
    return [_block(layers) for _, layers in table.groupby(number)]


def _block(layers: pd.DataFrame) -> Block:
    first = layers.iloc[0]
    name, side, features = first["layer"], first["map_size"], first["width"]
    field = first["receptive_field"]
    if pd.isna(side):
        height, thickness = HEIGHT_PER_DOUBLING * float(np.log2(1 + features)), float(VECTOR_SLAB)
    else:
        height, thickness = LEAST_HEIGHT + HEIGHT_PER_PIXEL * side, 2 + float(np.sqrt(features))
    colors = [COLORS[_kind(layer)] for layer in layers["layer"]]
    parts = [] if first["what"] == name else first["what"].split(", ")
    return Block(
        name=name,
        what=tuple(line for part in parts for line in wrap(part, LONGEST_LINE)),
        numbers=(
            f"{features:,}",
            *("" if pd.isna(size) else f"{size}{TIMES}{size}" for size in (side, field)),
            f"{layers['parameters'].sum():,}",
        ),
        slabs=((colors[0], thickness), *((color, SLAB) for color in colors[1:])),
        height=height,
        slant=VECTOR_SLANT if pd.isna(side) else SLANT_PER_HEIGHT * height,
    )


def _draw(page: Page, block: Block, center: float, middle: float, floor: float) -> None:
    """Draw a block around a point, and write under it what it is."""
    left = center - block.breadth / 2
    top = middle - (block.height - block.slant) / 2
    for color, thickness in block.slabs:
        _box(page.axes, (left, top), (thickness, block.height), block.slant, color)
        left += thickness
    y = floor + LINE_HEIGHT / 2
    page.text(center, y, block.name, ha="center", weight="bold")
    for line in block.what:
        y += LINE_HEIGHT
        page.text(center, y, line, ha="center", color=MUTED, size=SMALL)


def _box(
    axes: Axes, corner: tuple[float, float], size: tuple[float, float], slant: float, color: str
) -> None:
    """Draw a box seen from the front, a little from the right and from above."""
    (left, top), (width, height) = corner, size
    right, bottom = left + width, top + height
    front = [(left, top), (right, top), (right, bottom), (left, bottom)]
    far_left, far_right, far_bottom = (
        (x + slant, y - slant) for x, y in ((left, top), (right, top), (right, bottom))
    )
    lid = [(left, top), (right, top), far_right, far_left]
    side = [(right, top), (right, bottom), far_bottom, far_right]
    for corners, white in ((front, 0.0), (lid, LID), (side, SIDE)):
        shade = [part + white * (1 - part) for part in to_rgb(color)]
        axes.add_patch(Polygon(corners, facecolor=shade, edgecolor="white", linewidth=0.6))


def _legend(page: Page, table: pd.DataFrame) -> None:
    """Name the colors by what the first layer of each is."""
    firsts = dict(zip(table["layer"].map(_kind)[::-1], table["what"][::-1], strict=True))
    named = firsts | {"image": "image", "conv": "convolution"}
    x = 0.0
    for name in (name for name in COLORS if name in firsts):
        _box(page.axes, (x, 2), (12, 12), 0, COLORS[name])
        page.text(x + 18, 8, named[name])
        x += 18 + text_width(named[name]) + 2 * SPACE
