"""What two habits of the study's own code would change: accuracies of a trained network.

The habits are facts of its author's public code, which the study's text does not have: no jitter
of the saturation, though the text names it, and batch norm that never left training mode while the
networks were tested, so that test images entered the running statistics.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn

from convscope.base.metrics import accuracy
from convscope.data.augment import Augmentation
from convscope.nets import inference, study_mode
from convscope.nets.inference import as_input

SATURATION = "no jitter of the saturation, tested in the study's way"
STATISTICS = "test images in the running statistics, evaluation mode"
MOMENTUM = 0.05  # of batch norm there; torch's default, which the text names, is 0.1


def accuracies(
    module: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    augmentation: Augmentation,
    batches: Iterable[torch.Tensor],
    here: tuple[float, float],
    seed: int,
) -> dict[str, tuple[float, float]]:
    """By habit a network's accuracy, in [0, 1], without it and with it; those that can matter.

    Args:
        module: Left as it is.
        images: (N, 3, 32, 32) uint8, on the network's device.
        labels: (N,) int64.
        augmentation: What the network was trained with.
        batches: The images, augmented so, as ``study_mode.augmented`` has them.
        here: The accuracies without the habits, in the study's way and on clean images.
        seed: Draws the augmentations, and what dropout drops.
    """
    in_study_way, clean = here
    found = {}
    if augmentation.saturation:
        pale = study_mode.augmented(images, replace(augmentation, saturation=0.0), seed)
        outputs = study_mode.logits(module, pale, seed)
        found[SATURATION] = (in_study_way, accuracy(outputs, labels))
    if any(isinstance(part, nn.BatchNorm2d) for part in module.modules()):
        moved = moved_statistics(module, batches)
        found[STATISTICS] = (clean, accuracy(inference.logits(moved, images), labels))
    return found


def moved_statistics(module: nn.Module, batches: Iterable[torch.Tensor]) -> nn.Module:
    """A copy of a network whose running statistics were moved by a pass over batches of images.

    Args:
        module: With batch norm before any dropout, which would drop at random.
        batches: (B, 3, 32, 32) float in [0, 1]; each moves them by ``MOMENTUM`` to its own.
    """
    module = deepcopy(module).eval()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.train().momentum = MOMENTUM
    with torch.no_grad():
        for batch in batches:
            module(as_input(batch, next(module.parameters()).device))
    return module.eval()
