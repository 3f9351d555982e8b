"""Occlusion maps beside captum's Occlusion, at the batch and memory format that suit it best."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from captum.attr import Occlusion
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import subjects
from benchmarks.measuring import Row, clocked, cores, faster, interleaved, threads
from convscope.analysis.occlusion.sensitivity import confidence_maps, confidences
from convscope.analysis.occlusion.sliding import GRAY

TITLE = "Occlusion maps, beside captum's Occlusion"
GOAL = 2.5
WINDOWS = (3, 5, 7, 9, 13)
TOLERANCE = 1e-5
FORMATS = (torch.contiguous_format, torch.channels_last)


@dataclass(frozen=True)
class _Choice:
    """How captum is run: occluded copies of each image in a batch, and their memory format."""

    copies: int
    memory_format: torch.memory_format


def rows(quick: bool) -> Iterator[Row]:
    """Maps of net4 by window and over all of the study's windows, wide and narrow."""
    plans = [(4, 1, (25, 29))] if quick else [(64, 1, WINDOWS), (24, 2, WINDOWS), (8, 4, WINDOWS)]
    for l1_oc, count, windows in plans:
        module = subjects.trained("net4", l1_oc, 64 if quick else 1_000, cores(quick))
        with threads(cores(quick)):
            yield from _windows(module, l1_oc, count, windows, n=1 if quick else 3)


def _windows(
    module: nn.Sequential, l1_oc: int, count: int, windows: tuple[int, ...], n: int
) -> Iterator[Row]:
    """A row for each window, one for all, and one for the largest difference between the maps."""
    data = subjects.part(1, count)
    images, labels = data.test_images[:count], data.test_labels[:count]
    choice = _best(module, images, labels)
    what = f"net4, l1_oc {l1_oc}, {count} image{'s' if count > 1 else ''}"
    total: list[list[float]] = [[0.0] * n, [0.0] * n]
    largest = 0.0
    for window in windows:
        ours = _maps(module, images, labels, window)
        its = _captum(module, images, labels, window, choice)
        largest = max(largest, _difference(module, images, labels, window, ours(), its()))
        times = interleaved(n, clocked(ours), clocked(its), warm_up=False)
        total = [
            [a + b for a, b in zip(*pair, strict=True)] for pair in zip(total, times, strict=True)
        ]
        yield faster(f"{what}, window {window}", times, GOAL)
    layout = "channels_last" if choice.memory_format == torch.channels_last else "contiguous"
    setting = f"perturbations_per_eval={choice.copies}, {layout}"
    yield faster(f"{what}, all windows (captum: {setting})", total, GOAL)
    yield Row(
        f"{what}, largest difference of the maps",
        result=f"{largest:.1e}",
        goal=f"below {TOLERANCE:.0e}",
        met=largest < TOLERANCE,
    )


def _maps(
    module: nn.Sequential, images: Tensor, labels: Tensor, window: int
) -> Callable[[], Tensor]:
    return lambda: confidence_maps(module, images, labels, window)


def _captum(
    module: nn.Sequential, images: Tensor, labels: Tensor, window: int, choice: _Choice
) -> Callable[[], Tensor]:
    """Captum's attributions: the drop of confidence, averaged over the windows on each pixel."""

    def forward(batch: Tensor) -> Tensor:
        outputs: Tensor = module(batch.contiguous(memory_format=choice.memory_format))
        return outputs.softmax(1)

    def run() -> Tensor:
        with torch.inference_mode():
            found: Tensor = Occlusion(forward).attribute(
                images.float() / 255,
                sliding_window_shapes=(3, window, window),
                baselines=GRAY / 255,
                target=labels,
                perturbations_per_eval=choice.copies,
            )
        return found

    return run


def _best(module: nn.Sequential, images: Tensor, labels: Tensor) -> _Choice:
    """The fastest of captum's batches and memory formats, at a large window: few positions."""
    choices = [_Choice(c // len(images), f) for c, f in product((16, 32, 64, 128), FORMATS)]

    return min(choices, key=lambda c: clocked(_captum(module, images, labels, 21, c))())


def _difference(
    module: nn.Sequential, images: Tensor, labels: Tensor, window: int, ours: Tensor, its: Tensor
) -> float:
    """The largest difference, once our maps are averaged over the windows on each pixel."""
    drops = confidences(module, images, labels)[:, None, None] - ours
    square = torch.ones(1, 1, window, window)
    covered = functional.conv_transpose2d(torch.ones_like(drops[:, None]), square)
    averaged = functional.conv_transpose2d(drops[:, None], square) / covered
    return float((averaged - its).abs().max())
