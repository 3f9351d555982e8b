"""Occlusion sensitivity: how a network's confidence falls when part of an image is gray.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014); study, part 2.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convscope.analysis.occlusion import sliding

BATCH_SIZE = 256


@dataclass(frozen=True)
class Summary:
    """What the confidence maps of one window size say about each image.

    Attributes:
        mean: (N,) mean confidence over all positions of the window, 0 to 1.
        depth: (N,) the deepest drop: clean confidence minus the map's smallest value. Negative
            where the window raises the confidence at every position.
        center: (N, 2) float32, row and column in the image of the center of the window that makes
            the deepest drop, half pixels if K is even; of equal ones, the first by rows.
    """

    mean: Tensor
    depth: Tensor
    center: Tensor


@dataclass(frozen=True)
class Survey:
    """How images fare under one window size.

    Attributes:
        window: Side of the window in pixels; 0 for the clean images.
        centers: (P,) float32, the rows, and the columns, of the image at which the window's center
            stands in turn, in pixels; the image's center for the clean images.
        confidence: (N,) float32, each image's mean confidence over the positions, 0 to 1.
        accuracy: (N,) float32, each image's share of positions at which it is classified correctly.
        by_position: (P, P) float64, mean confidence over the images, by row and column.
        deepest: (P, P) float64, the share of images whose drop is deepest there; an image whose
            deepest drop is at several positions counts equally for each of them. Sums to 1.
    """

    window: int
    centers: Tensor
    confidence: Tensor
    accuracy: Tensor
    by_position: Tensor
    deepest: Tensor


def confidences(
    module: nn.Module, images: Tensor, labels: Tensor, batch_size: int = BATCH_SIZE
) -> Tensor:
    """The network's confidence in the true class of each clean image.

    Args:
        module: A network from images to logits; evaluated in evaluation mode, its mode restored.
        images: (N, 3, H, W), uint8, or float in [0, 1].
        labels: (N,) true classes.
        batch_size: How many images go through the network at a time.

    Returns:
        (N,) float32 softmax probabilities of the true class, on the CPU.
    """
    return sliding.intact(module, images, labels, batch_size)[0]


def confidence_maps(
    module: nn.Sequential,
    images: Tensor,
    labels: Tensor,
    window: int,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """The confidence in the true class with a gray square at each position (study, part 2.1).

    The square (128/255 in every channel) slides with stride 1 and stays wholly inside the image.

    Args:
        module: A network from images to logits; evaluated in evaluation mode, its mode restored.
        images: (N, 3, S, S), uint8, or float in [0, 1].
        labels: (N,) true classes.
        window: The square's side K in pixels.
        batch_size: How many occluded images go through the network at a time. Memory depends on
            this and not on N; the maps do not depend on it but for rounding.
        progress: Called now and then with the number of occluded images done since the last call.

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


def summary(maps: Tensor, clean: Tensor, window: int) -> Summary:
    """What is read off confidence maps: their means and where the drop is deepest.

    Args:
        maps: (N, P, P), from ``confidence_maps``.
        clean: (N,) clean confidences, from ``confidences``.
        window: The side of the window that made the maps, in pixels.
    """
    flat = maps.flatten(1)
    lowest = flat.argmin(1)
    corner = torch.stack([lowest // maps.shape[2], lowest % maps.shape[2]], dim=1)
    return Summary(
        mean=flat.mean(1),
        depth=clean - flat.amin(1),
        center=corner + (window - 1) / 2,
    )


def survey(
    module: nn.Sequential,
    images: Tensor,
    labels: Tensor,
    windows: Sequence[int],
    stride: int = 4,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], None] | None = None,
) -> list[Survey]:
    """How confidence and correctness fall with the window's size, over many images.

    The window takes every ``stride``-th position, centered on the image. The cost is
    ((S - K) // stride + 1)^2 images for each image and window. Memory is that of ``batch_size``
    images at all positions, and two numbers for each image.

    Args:
        module: A network from images to logits; evaluated in evaluation mode, its mode restored.
        images: (N, 3, S, S), uint8, or float in [0, 1].
        labels: (N,) true classes.
        windows: Sides of the windows in pixels.
        stride: Pixels from one position to the next.
        batch_size: How many occluded images go through the network at a time.
        progress: As for ``confidence_maps``.

    Returns:
        The clean images as window 0, then one entry for each window, in order; on the CPU.

    Raises:
        ValueError: As for ``confidence_maps``.
    """
    starts = [sliding.starts_of(images.shape[-1], window, stride) for window in windows]
    clean = _Tally(0, torch.tensor([(images.shape[-1] - 1) / 2]))
    clean.add(*sliding.intact(module, images, labels, batch_size))
    entries = [clean.survey()]
    for window, places in zip(windows, starts, strict=True):
        tally = _Tally(window, places + (window - 1) / 2)
        # a part of batch_size images fills whole batches, whatever the number of positions
        for part, truth in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            tally.add(*sliding.occluded(module, part, truth, window, places, batch_size, progress))
        entries.append(tally.survey())
    return entries


class _Tally:
    """A survey's entry while images are added to it."""

    def __init__(self, window: int, centers: Tensor) -> None:
        positions = len(centers) ** 2
        self._window, self._centers = window, centers
        self._confidence: list[Tensor] = []
        self._accuracy: list[Tensor] = []
        self._by_position = torch.zeros(positions, dtype=torch.float64)
        self._deepest = torch.zeros(positions, dtype=torch.float64)

    def add(self, confidence: Tensor, correct: Tensor) -> None:
        """Add images: what ``sliding.occluded`` finds of them at all positions."""
        confidence = confidence.view(-1, len(self._by_position))
        self._confidence.append(confidence.mean(1))
        self._accuracy.append(correct.view_as(confidence).float().mean(1))
        self._by_position += confidence.double().sum(0)
        lowest = (confidence == confidence.amin(1, keepdim=True)).double()
        self._deepest += (lowest / lowest.sum(1, keepdim=True)).sum(0)

    def survey(self) -> Survey:
        """The entry of all images so far."""
        confidence, side = torch.cat(self._confidence), len(self._centers)
        return Survey(
            window=self._window,
            centers=self._centers,
            confidence=confidence,
            accuracy=torch.cat(self._accuracy),
            by_position=(self._by_position / len(confidence)).view(side, side),
            deepest=(self._deepest / len(confidence)).view(side, side),
        )
