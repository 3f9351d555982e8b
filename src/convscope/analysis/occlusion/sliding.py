"""A gray square slid over images: how sure a network is of their class at each position.

Only what a square changes is computed anew (``patches``), in batches of neighboring positions,
which change about the same part of a feature map.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convscope.analysis.occlusion import patches
from convscope.base.parallel import side_by_side
from convscope.nets import inference
from convscope.nets.fused import fused

GRAY = 128  # of 255, in every channel
BLOCK = 8  # pixels; squares that start so near to each other are in a batch


def positions(size: int, window: int, stride: int) -> int:
    """At how many positions a window stands in an image; raises what ``starts_of`` raises."""
    return len(starts_of(size, window, stride)) ** 2


def intact(
    module: nn.Module, images: Tensor, labels: Tensor, batch_size: int
) -> tuple[Tensor, Tensor]:
    """How a network judges images, (N, 3, S, S), without a square.

    Returns:
        (N,) float32 softmax probabilities of the true class, and (N,) bool, whether that is the
        prediction; on the CPU.
    """
    return _judge(inference.logits(module, images, batch_size), labels)


class _Batch(NamedTuple):
    """Occluded images, each an image of ``clean`` with the square at a position."""

    clean: patches.Clean
    owners: Tensor  # (M,) int64, which of the clean images is occluded
    corners: Tensor  # (M, 2) int64, row and column of the square's top left pixel
    places: Tensor  # (M,) int64, where the result belongs: image by image of all, row by row


def occluded(
    module: nn.Sequential,
    images: Tensor,
    labels: Tensor,
    window: int,
    starts: Tensor,
    batch_size: int,
    progress: Callable[[int], None] | None,
) -> tuple[Tensor, Tensor]:
    """How a network judges images with a square at each position.

    The (P,) ``starts`` are the rows, and the columns, at which the square starts in turn; for all
    else see ``sensitivity.confidence_maps``.

    Returns:
        As ``intact`` for the P * P positions of each image: image by image, row by row.

    Raises:
        ValueError: There is no image, or there are not as many labels as images.
    """
    if not 0 < len(images) == len(labels):
        raise ValueError(f"needs images and a label for each, not {len(images)} and {len(labels)}")
    places_each = len(starts) ** 2
    confidence = torch.empty(len(images) * places_each)
    correct = torch.empty_like(confidence, dtype=torch.bool)
    for places, outputs in _outputs(module, images, window, starts, batch_size):
        confidence[places], correct[places] = _judge(outputs, labels[places // places_each])
        if progress:
            progress(len(places))
    return confidence, correct


def answers(
    module: nn.Sequential, images: Tensor, window: int, starts: Tensor, batch_size: int
) -> Tensor:
    """The same for every class: (N, P, P, classes) float32 softmax probabilities, on the CPU."""
    across = len(starts)
    found = [
        (places, outputs.float().cpu().softmax(1))
        for places, outputs in _outputs(module, images, window, starts, batch_size)
    ]
    places, shares = (torch.cat(parts) for parts in zip(*found, strict=True))
    return shares[places.argsort()].view(len(images), across, across, -1)


def _outputs(
    module: nn.Sequential, images: Tensor, window: int, starts: Tensor, batch_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The logits of images with the square at all positions, in batches, and their places."""
    device = next(module.parameters()).device
    gray = torch.full((images.shape[1], window, window), GRAY / 255, device=device)

    def compute(batch: _Batch) -> tuple[Tensor, Tensor]:
        squares = patches.Patches(
            gray.expand(len(batch.owners), -1, -1, -1),
            batch.corners.to(device),
            batch.owners.to(device),
        )
        return batch.places, patches.logits(batch.clean, squares)

    with inference.evaluating(module):
        batches = _batches(fused(module), images, starts, batch_size, device)
        yield from side_by_side(compute, batches, device)


def _batches(
    module: nn.Sequential, images: Tensor, starts: Tensor, batch_size: int, device: torch.device
) -> Iterator[_Batch]:
    """All images at all positions; a batch has neighboring positions of a few images."""
    blocks = _blocks(starts)
    some = max(1, batch_size // max(map(len, blocks)))
    for part in torch.arange(len(images)).split(some):
        clean = patches.prepare(module, inference.as_input(images[part], device))
        for block in blocks:
            pairs = torch.cartesian_prod(part, torch.arange(len(block)))
            for number, place in (pair.T for pair in pairs.split(batch_size)):
                rows, columns = block[place].T
                yield _Batch(
                    clean,
                    number - part[0],
                    torch.stack([starts[rows], starts[columns]], 1),
                    (number * len(starts) + rows) * len(starts) + columns,
                )


def _blocks(starts: Tensor) -> list[Tensor]:
    """All positions, (P, 2) indices into ``starts`` each, grouped by where in the image they are.

    A batch computes the largest change that one of its squares makes, and a square near a border
    changes less.
    """
    bands = [torch.where(starts // BLOCK == band)[0] for band in torch.unique(starts // BLOCK)]
    return [torch.cartesian_prod(rows, columns) for rows, columns in product(bands, bands)]


def starts_of(size: int, window: int, stride: int) -> Tensor:
    """The rows (and columns) at which a window starts, equally far from both borders; in pixels.

    Raises:
        ValueError: The window is smaller than 1 or larger than the image.
    """
    if not 1 <= window <= size:
        raise ValueError(f"a window of {window} pixels does not fit into images of {size} pixels")
    room = size - window
    return torch.arange(room % stride // 2, room + 1, stride)


def _judge(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax probability of the true class (B,) and whether the prediction is right (B,)."""
    outputs = logits.float().cpu()
    truth = labels.cpu()
    confidence = outputs.softmax(1).gather(1, truth[:, None]).squeeze(1)
    return confidence, outputs.argmax(1) == truth
