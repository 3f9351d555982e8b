"""Galleries: samples of the classes, mistakes, filters and the images that drive them."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from textwrap import fill
from typing import Any

import torch

from convscope.figures.page import LINE_HEIGHT, TEXT_SIZE, Page, pixels, text_width
from convscope.figures.style import MUTED, PALETTE, Drawing, styled

# screen pixels of an image pixel
SCALE = 3
GALLERY_SCALE = 4
# the most images of a class, thumbnails and filters in a row
PER_CLASS, THUMBNAILS, FILTERS = 10, 8, 16
# of more classes a row of images each is no picture any more, but one of each is
MOST_ROWS, MOST_SAMPLES = 40, 400
# image pixels between images
GAP = 2
LABEL_GAP = 12
BLOCKS_ACROSS = 2
DEAD = "dead: no test image makes it positive"


@styled()
def samples(images: torch.Tensor, labels: torch.Tensor, classes: Sequence[str]) -> Drawing:
    """A row for each class: its first images, in order; white where a class has too few.

    Of many classes it is the first image of each, of very many only those of the first classes.
    Images are (N, 3, H, W) uint8, labels (N,) indices into ``classes``.
    """
    if len(classes) > MOST_ROWS:
        return _one_of_each(images, labels.tolist(), classes)
    rows = [(name, images[labels == c][:PER_CLASS]) for c, name in enumerate(classes)]
    return _rows_of_images(rows, PER_CLASS, "The first images of each class")


@styled()
def pair_gallery(rows: Sequence[tuple[str, torch.Tensor]]) -> Drawing:
    """A row of images for each pair of a true and a predicted class, if there is any.

    A row has a label, such as "cat taken for dog (102)", and images (n, 3, H, W) uint8, n > 0.
    """
    title = "The most frequent mistakes"
    if not rows:
        return _nothing(title)
    return _rows_of_images(rows, max(len(images) for _, images in rows), title)


def _one_of_each(images: torch.Tensor, labels: Sequence[int], classes: Sequence[str]) -> Drawing:
    first = {label: at for at, label in reversed(list(enumerate(labels)))}
    shown = sorted(first)[:MOST_SAMPLES]
    of_all = f" of {len(classes):,}" if len(shown) < len(classes) else ""
    title = f"The first image of each class ({len(shown):,}{of_all})"
    numbers = torch.tensor([first[label] for label in shown])
    return gallery(images[numbers], [classes[label] for label in shown], title)


def _rows_of_images(rows: Sequence[tuple[str, torch.Tensor]], columns: int, title: str) -> Drawing:
    """Labeled rows of images of one size, with room for so many columns."""
    height, width = (SCALE * side for side in rows[0][1].shape[2:])
    margin = _label_width([label for label, _ in rows])
    across, down = width + SCALE * GAP, height + SCALE * GAP
    page = Page(margin + columns * across - SCALE * GAP, len(rows) * down - SCALE * GAP, title)
    for row, (label, images) in enumerate(rows):
        page.text(0, row * down + height / 2, label)
        for column, image in enumerate(images):
            page.picture(pixels(image), margin + column * across, row * down, width, height)
    return page.figure


@styled()
def gallery(images: torch.Tensor, captions: Sequence[str], title: str) -> Drawing:
    """Thumbnails of (N, 3, H, W) uint8 images, if there are any, with wrapped captions beneath."""
    if not len(images):
        return _nothing(title)
    height, width = (GALLERY_SCALE * side for side in images.shape[2:])
    wrapped = [_wrapped(caption, width) for caption in captions]
    lines = max(text.count("\n") + 1 for text in wrapped)
    size, places = _grid(len(images), THUMBNAILS, width, height + LINE_HEIGHT * lines, LABEL_GAP)
    page = Page(*size, title)
    for image, caption, (left, top) in zip(images, wrapped, places, strict=True):
        page.picture(pixels(image), left, top, width, height)
        page.text(left, top + height + 4, caption, va="top")
    return page.figure


@styled()
def filter_pictures(pictures: torch.Tensor) -> Drawing:
    """The filters of a first layer, (C, 3, k, k) float in [0, 1], each above its index."""
    # about 54 screen pixels a filter, in an integer number of them for each weight
    side = 54 // pictures.shape[2] * pictures.shape[2]
    size, places = _grid(len(pictures), FILTERS, side, side + LINE_HEIGHT, 8)
    page = Page(*size, "The filters of conv1 (gray: a weight of 0; each on its own scale)")
    for index, (picture, (left, top)) in enumerate(zip(pictures, places, strict=True)):
        page.picture(pixels(picture), left, top, side, side)
        page.text(left + side / 2, top + side + 3, str(index), ha="center", va="top")
    return page.figure


def _grid(
    count: int, most: int, width: int, height: int, gap: int
) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """The size of a grid of cells with at most so many in a row, and where its cells stand."""
    columns = min(most, count)
    across, down = width + gap, height + gap
    size = columns * across - gap, -(-count // columns) * down - gap
    return size, [(index % columns * across, index // columns * down) for index in range(count)]


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
    content = {True: LINE_HEIGHT, False: 2 * side + LINE_HEIGHT + 8}  # by whether it is dead
    heights = [
        max(content[block["dead"]] for block in row if block) + 2 * LABEL_GAP for row in block_rows
    ]
    columns = min(BLOCKS_ACROSS, len(filters))
    page = Page(columns * across - 2 * LABEL_GAP, sum(heights) - 2 * LABEL_GAP, title)
    top = 0
    for row, height in zip(block_rows, heights, strict=True):
        for column, block in enumerate(row):
            if block:
                _draw_block(page, block, column * across, top, margin, side)
        top += height
    return page.figure


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
        fitting = _shortened(caption, side + GAP * SCALE, TEXT_SIZE - 1)
        page.text(x, top + LINE_HEIGHT / 2, fitting, size=TEXT_SIZE - 1)
        page.picture(pixels(image), x, image_top, side, side)
        upper, start, lower, end = box
        scale = side / image.shape[2]
        tall, wide = lower - upper, end - start
        corner = x + start * scale, image_top + upper * scale
        page.outline(*corner, wide * scale, tall * scale, PALETTE[1])
        zoom = side / max(tall, wide)
        enlarged = x, patch_top, wide * zoom, tall * zoom
        page.picture(pixels(image[:, upper:lower, start:end]), *enlarged)
        page.frame(*enlarged)


def _label_width(labels: Sequence[str], weight: str = "normal") -> int:
    """The pixels that the longest label and the space behind it take."""
    return round(max(text_width(label, weight=weight) for label in labels)) + LABEL_GAP


def _wrapped(text: str, width: float) -> str:
    """Text broken into lines that fit ``width`` pixels."""
    share = width / max(text_width(text), width)
    return fill(text, max(int(len(text) * share), 1))


def _shortened(caption: str, width: float, size: float) -> str:
    """A name and a number that fit ``width`` pixels; of a name that does not, the beginning."""
    name, _, number = caption.rpartition(" ")
    wide = text_width(caption, size)
    if wide <= width:
        return caption
    name = name[: int(len(caption) * width / wide)]  # measuring takes a while: begin near the end
    while name and text_width(f"{name}\N{HORIZONTAL ELLIPSIS} {number}", size) > width:
        name = name[:-1]
    return f"{name}\N{HORIZONTAL ELLIPSIS} {number}"


def _nothing(title: str) -> Drawing:
    """What stands in for images where there are none."""
    page = Page(200, LINE_HEIGHT, title)
    page.text(0, LINE_HEIGHT / 2, "no image to show", color=MUTED, style="italic")
    return page.figure
