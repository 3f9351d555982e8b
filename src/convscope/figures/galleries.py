"""Galleries: samples of the classes, mistakes, filters and the images that drive them."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from textwrap import fill
from typing import Any

import torch

from convscope.data.torchvision_compat import import_torchvision
from convscope.figures.page import LINE_HEIGHT, TEXT_SIZE, Page, pixels, text_width
from convscope.figures.style import MUTED, PALETTE, Drawing, styled

# screen pixels of an image pixel
SCALE = 3
GALLERY_SCALE = 4
# the most images of a class, thumbnails and filters in a row
PER_CLASS, THUMBNAILS, FILTERS = 10, 8, 16
# image pixels between the images of a mosaic
GAP = 2
LABEL_GAP = 12
BLOCKS_ACROSS = 2
DEAD = "dead: no test image makes it positive"


@styled()
def samples(images: torch.Tensor, labels: torch.Tensor, classes: Sequence[str]) -> Drawing:
    """A row for each class: its first images, in order; white where a class has too few.

    Args:
        images: (N, 3, H, W) uint8.
        labels: (N,) indices into ``classes``.
        classes: The class names.
    """
    rows = []
    for index in range(len(classes)):
        first = images[labels == index][:PER_CLASS]
        blank = images.new_full((PER_CLASS - len(first), *images.shape[1:]), 255)
        rows.append(torch.cat([first, blank]))
    mosaic = _mosaic(torch.cat(rows), PER_CLASS)
    height, width = (SCALE * side for side in mosaic.shape[1:])
    margin = _label_width(classes)
    page = Page(margin + width, height, "The first images of each class")
    page.picture(pixels(mosaic), margin, 0, width, height)
    step = SCALE * (images.shape[2] + GAP)
    for row, name in enumerate(classes):
        page.text(0, row * step + SCALE * images.shape[2] / 2, name)
    return page.figure


@styled()
def gallery(images: torch.Tensor, captions: Sequence[str], title: str) -> Drawing:
    """Thumbnails, each with a caption beneath.

    Args:
        images: (N, 3, H, W) uint8; there may be none.
        captions: N texts; too long ones are wrapped.
        title: Above them all.
    """
    if not len(images):
        return _nothing(title)
    height, width = (GALLERY_SCALE * side for side in images.shape[2:])
    wrapped = [_wrapped(caption, width) for caption in captions]
    lines = max(text.count("\n") + 1 for text in wrapped)
    across, down = width + LABEL_GAP, height + LINE_HEIGHT * lines + LABEL_GAP
    columns = min(THUMBNAILS, len(images))
    rows = -(-len(images) // columns)
    page = Page(columns * across - LABEL_GAP, rows * down - LABEL_GAP, title)
    for index, (image, caption) in enumerate(zip(images, wrapped, strict=True)):
        left, top = index % columns * across, index // columns * down
        page.picture(pixels(image), left, top, width, height)
        page.text(left, top + height + 4, caption, va="top")
    return page.figure


@styled()
def pair_gallery(rows: Sequence[tuple[str, torch.Tensor]]) -> Drawing:
    """A row of images for each pair of a true and a predicted class.

    Args:
        rows: Label, such as "cat taken for dog (102)", and images (n, 3, H, W) uint8, n > 0; there
            may be no row.
    """
    title = "The most frequent mistakes"
    if not rows:
        return _nothing(title)
    margin = _label_width([label for label, _ in rows])
    mosaics = [_mosaic(images, len(images)) for _, images in rows]
    step = SCALE * (max(mosaic.shape[1] for mosaic in mosaics) + GAP)
    widest = SCALE * max(mosaic.shape[2] for mosaic in mosaics)
    page = Page(margin + widest, len(rows) * step - SCALE * GAP, title)
    for row, ((label, _), mosaic) in enumerate(zip(rows, mosaics, strict=True)):
        height, width = (SCALE * side for side in mosaic.shape[1:])
        page.picture(pixels(mosaic), margin, row * step, width, height)
        page.text(0, row * step + height / 2, label)
    return page.figure


@styled()
def filter_pictures(pictures: torch.Tensor) -> Drawing:
    """The filters of a first layer as small RGB pictures, each above its index.

    Args:
        pictures: (C, 3, k, k) float in [0, 1].
    """
    # about 54 screen pixels a filter, in whole screen pixels for each weight
    side = 54 // pictures.shape[2] * pictures.shape[2]
    across, down = side + 8, side + LINE_HEIGHT + 8
    columns = min(FILTERS, len(pictures))
    rows = -(-len(pictures) // columns)
    title = "The filters of conv1 (gray: a weight of 0; each on its own scale)"
    page = Page(columns * across - 8, rows * down - 8, title)
    for index, picture in enumerate(pictures):
        left, top = index % columns * across, index // columns * down
        page.picture(pixels(picture), left, top, side, side)
        page.text(left + side / 2, top + side + 3, str(index), ha="center", va="top")
    return page.figure


@styled()
def top_images(filters: Sequence[Mapping[str, Any]]) -> Drawing:
    """For each filter its top images, the patch outlined, and beneath each the patch enlarged.

    Args:
        filters: For each a mapping with the keys ``name`` ("conv3/1"), ``dead`` (bool), ``images``
            (n, 3, H, W) uint8, ``boxes`` (n times top, left, bottom, right in pixels; the last two
            exclusive) and ``captions`` (n texts). Of a dead filter, only a line says so.
    """
    title = "The images and patches to which each filter responds most"
    if not filters:
        return _nothing(title)
    alive = [block["images"] for block in filters if not block["dead"]]
    margin = _label_width([str(block["name"]) for block in filters], "bold")
    most = max((len(images) for images in alive), default=0)
    side = SCALE * max((images.shape[2] for images in alive), default=0)
    across = margin + max(most * (side + GAP * SCALE), round(text_width(DEAD))) + 2 * LABEL_GAP
    block_rows = list(zip_longest(*[iter(filters)] * BLOCKS_ACROSS))
    heights = [max(_block_height(block, side) for block in row if block) for row in block_rows]
    columns = min(BLOCKS_ACROSS, len(filters))
    page = Page(columns * across - 2 * LABEL_GAP, sum(heights) - 2 * LABEL_GAP, title)
    top = 0
    for row, height in zip(block_rows, heights, strict=True):
        for column, block in enumerate(row):
            if block:
                _draw_block(page, block, column * across, top, margin, side)
        top += height
    return page.figure


def _block_height(block: Mapping[str, Any], side: int) -> int:
    """The screen pixels from one block to the one beneath it."""
    content = LINE_HEIGHT if block["dead"] else 2 * side + LINE_HEIGHT + 8
    return content + 2 * LABEL_GAP


def _draw_block(
    page: Page, block: Mapping[str, Any], left: int, top: int, margin: int, side: int
) -> None:
    """Draw one filter of ``top_images``: its name, then images, captions and patches."""
    page.text(left, top + LINE_HEIGHT / 2, block["name"], weight="bold")
    if block["dead"]:
        page.text(left + margin, top + LINE_HEIGHT / 2, DEAD, color=MUTED, style="italic")
        return
    # captions stand above the images, level with the filter's name
    image_top = top + LINE_HEIGHT + 2
    patch_top = image_top + side + 6
    columns = zip(block["images"], block["boxes"], block["captions"], strict=True)
    for rank, (image, box, caption) in enumerate(columns):
        x = left + margin + rank * (side + GAP * SCALE)
        page.text(x, top + LINE_HEIGHT / 2, caption, size=TEXT_SIZE - 1)
        page.picture(pixels(image), x, image_top, side, side)
        upper, start, lower, end = (int(edge) for edge in box)
        scale = side / image.shape[2]
        tall, wide = lower - upper, end - start
        corner = x + start * scale, image_top + upper * scale
        page.outline(*corner, wide * scale, tall * scale, PALETTE[1])
        zoom = side / max(tall, wide)
        patch = pixels(image[:, upper:lower, start:end])
        page.picture(patch, x, patch_top, wide * zoom, tall * zoom)
        page.frame(x, patch_top, wide * zoom, tall * zoom)


def _mosaic(images: torch.Tensor, columns: int) -> torch.Tensor:
    """(N, 3, H, W) -> one image (3, rows of them, columns of them), GAP white pixels between."""
    make_grid = import_torchvision("torchvision.utils").make_grid
    grid: torch.Tensor = make_grid(images, nrow=columns, padding=GAP, pad_value=255)
    # a single image comes back without the border that make_grid puts around several
    return grid if len(images) == 1 else grid[:, GAP:-GAP, GAP:-GAP]


def _label_width(labels: Sequence[str], weight: str = "normal") -> int:
    """The pixels that the longest label and the space behind it take."""
    return round(max(text_width(label, weight=weight) for label in labels)) + LABEL_GAP


def _wrapped(text: str, width: float) -> str:
    """Text broken into lines that fit ``width`` pixels; its own line breaks stay."""
    lines = []
    for line in text.split("\n"):
        share = width / max(text_width(line), width)
        lines.append(fill(line, max(int(len(line) * share), 1)) if line else line)
    return "\n".join(lines)


def _nothing(title: str) -> Drawing:
    """What stands in for images where there are none."""
    page = Page(200, LINE_HEIGHT, title)
    page.text(0, LINE_HEIGHT / 2, "no image to show", color=MUTED, style="italic")
    return page.figure
