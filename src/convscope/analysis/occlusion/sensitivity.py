"""Occlusion sensitivity: how a network's confidence falls when part of an image is gray.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014); study, part 2.1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convscope.analysis.occlusion import sliding

BATCH_SIZE = 256


@dataclass(frozen=True)
class Survey:
    """How images fare under one window size; confidences and shares are 0 to 1."""

    window: int  # its side in pixels; 0 for the clean images
    centers: Tensor  # (P,) float32, the rows, and the columns, of the window's center in pixels
    confidence: Tensor  # (N,) float32, each image's mean over the positions
    accuracy: Tensor  # (N,) float32, each image's share of positions at which it is correct
    by_position: Tensor  # (P, P) float64, mean confidence over the images, by row and column
    # (P, P) float64, the share of images whose drop is deepest there, which sums to 1: an image
    # whose deepest drop is at several positions counts equally for each of them
    deepest: Tensor


def confidences(module: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The confidence in the true class of each clean image: (N,), as ``confidence_maps``."""
    return sliding.intact(module, images, labels, BATCH_SIZE)[0]


def confidence_maps(
    module: nn.Sequential,
    images: Tensor,
    labels: Tensor,
    window: int,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """The confidence in the true class with a gray square at each position (study, part 2.1).

    The square (128/255 in every channel) slides with stride 1 and stays inside the image.

    Args:
        module: Evaluated in evaluation mode, its mode restored.
        images: (N, 3, S, S), uint8, or float in [0, 1].
        labels: (N,) true classes.
        window: The square's side K in pixels.
        batch_size: Occluded images at a time. Memory depends on this and not on N; the maps depend
            on it in their rounding only.
        progress: Called with the number of occluded images done since the last call.

    Returns:
        (N, S - K + 1, S - K + 1) float32 softmax probabilities of the true class, on the CPU; the
        value at (i, j) is for the square whose top left pixel is (i, j).

    Raises:
        ValueError: The window is smaller than 1 or larger than the images, there is no image, or
            there are not as many labels as images.
    """
    starts = sliding.starts_of(images.shape[-1], window, stride=1)
    confidence, _ = sliding.occluded(module, images, labels, window, starts, batch_size, progress)
    return confidence.view(len(images), len(starts), len(starts))


def answers(module: nn.Sequential, images: Tensor, window: int) -> Tensor:
    """The confidence in every class: ``confidence_maps`` for networks that answer without labels.

    Returns:
        (N, S - K + 1, S - K + 1, classes) float32 softmax probabilities, on the CPU.

    Raises:
        ValueError: The window is smaller than 1 or larger than the images.
    """
    starts = sliding.starts_of(images.shape[-1], window, stride=1)
    return sliding.answers(module, images, window, starts, BATCH_SIZE)


def survey(
    module: nn.Sequential,
    images: Tensor,
    labels: Tensor,
    windows: Sequence[int],
    stride: int,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] | None = None,
) -> list[Survey]:
    """How confidence and correctness fall with the window's size, over many images.

    The window takes every ``stride``-th position, centered on the image. The cost is
    ((S - K) // stride + 1)^2 images for each image and window. Memory is that of ``batch_size``
    images at all positions, and two numbers for each image.

    Windows and the stride are in pixels; all other arguments, and what is raised, are as for
    ``confidence_maps``.

    Returns:
        The clean images as window 0, then one entry for each window, in order; on the CPU.
    """
    starts = [sliding.starts_of(images.shape[-1], window, stride) for window in windows]
    # a part of batch_size images fills complete batches, whatever the number of positions
    parts = list(zip(images.split(batch_size), labels.split(batch_size), strict=True))
    center = torch.tensor([(images.shape[-1] - 1) / 2])
    entries = [_entry(0, center, [sliding.intact(module, images, labels, batch_size)])]
    for window, places in zip(windows, starts, strict=True):
        judged = (
            sliding.occluded(module, part, truth, window, places, batch_size, progress)
            for part, truth in parts
        )
        entries.append(_entry(window, places + (window - 1) / 2, judged))
    return entries


def _entry(window: int, centers: Tensor, judged: Iterable[tuple[Tensor, Tensor]]) -> Survey:
    """A survey's entry of what ``sliding.occluded`` finds of parts of the images."""
    side = len(centers)
    confidences, accuracies = [], []
    by_position, deepest = torch.zeros(2, side**2, dtype=torch.float64)
    for sure, right in judged:
        confidence = sure.view(-1, side**2)
        confidences.append(confidence.mean(1))
        accuracies.append(right.view_as(confidence).float().mean(1))
        by_position += confidence.double().sum(0)
        lowest = (confidence == confidence.amin(1, keepdim=True)).double()
        deepest += (lowest / lowest.sum(1, keepdim=True)).sum(0)
    images = sum(map(len, confidences))
    return Survey(
        window=window,
        centers=centers,
        confidence=torch.cat(confidences),
        accuracy=torch.cat(accuracies),
        by_position=(by_position / images).view(side, side),
        deepest=(deepest / images).view(side, side),
    )
