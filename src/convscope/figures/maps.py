"""Occlusion maps beside their images."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from convscope.figures.page import LINE_HEIGHT, Page, pixels, text_width
from convscope.figures.style import SEQUENTIAL, styled

SCALE = 4
GAP = 10
BAR_WIDTH = 14
BAR_ROOM = 76
BAR_LENGTH = 360


@styled
def confidence_maps(
    images: torch.Tensor,
    titles: Sequence[str],
    maps: Mapping[int, npt.ArrayLike],
    title: str = "Confidence in the true class with a gray window over the image",
) -> Figure:
    """A row for each image: the image, then its confidence map for each window size.

    A map is drawn at the image's scale and centered in the image's frame, so each of its pixels
    stands where the center of the window stood.

    Args:
        images: (n, 3, H, W) uint8.
        titles: n row labels, such as "cat (0.93)".
        maps: By window size K, (n, H - K + 1, W - K + 1) probabilities of the true class.
        title: Above them all.
    """
    height, width = (SCALE * side for side in images.shape[2:])
    margin = round(max(text_width(label) for label in titles)) + GAP
    across, down = width + GAP, height + GAP
    head = LINE_HEIGHT + 4
    right = margin + (len(maps) + 1) * across
    page = Page(right + BAR_ROOM, head + len(images) * down - GAP, title)
    scale = Normalize(0, 1)
    for column, window in enumerate(maps, start=1):
        x = margin + column * across + width / 2
        page.text(x, LINE_HEIGHT / 2, f"{window} x {window} window", ha="center")
    for row, (image, label) in enumerate(zip(images, titles, strict=True)):
        top = head + row * down
        page.text(0, top + height / 2, label)
        page.picture(pixels(image), margin, top, width, height)
        for column, stack in enumerate(maps.values(), start=1):
            values = np.asarray(stack)[row]
            tall, wide = (SCALE * side for side in values.shape)
            page.frame(margin + column * across, top, width, height)
            left = margin + column * across + (width - wide) / 2
            page.picture(
                values, left, top + (height - tall) / 2, wide, tall, cmap=SEQUENTIAL, norm=scale
            )
    length = min(BAR_LENGTH, len(images) * down - GAP)
    bar = page.figure.colorbar(
        ScalarMappable(scale, SEQUENTIAL), cax=page.panel(right, head, BAR_WIDTH, length)
    )
    bar.set_label("confidence")
    bar.outline.set_visible(False)
    return page.figure
