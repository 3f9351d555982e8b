"""Three ways to test a network that was trained on augmented images.

The study left its networks in training mode while testing (dropout on, batch statistics), on
randomly augmented test images (published.yaml); later it switched to evaluation mode. The usual
way is evaluation mode on clean images.
"""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise

import torch
from torch import nn

from convscope.base.metrics import accuracy
from convscope.base.names import AUGMENTED, CLEAN, STUDY
from convscope.data import augment
from convscope.nets.inference import BATCH_SIZE, logits


def accuracies(
    module: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    clean: torch.Tensor,
    augmentation: augment.Augmentation,
    seed: int,
) -> dict[str, float]:
    """A network's accuracy, in [0, 1], by the name of each protocol.

    Args:
        module: Left as it is.
        images: (N, 3, 32, 32) uint8, on the network's device.
        labels: (N,) int64.
        clean: (N, classes), the logits of the images in evaluation mode.
        augmentation: What the network was trained with.
        seed: Draws the augmentations, and what dropout drops.
    """
    generator = torch.Generator().manual_seed(seed)
    draws = augment.draw(len(images), augmentation, generator).to(images.device)
    augmented = torch.cat(
        [augment.apply(images[part], draws[part]) for part in _batches(len(images))]
    )
    outputs = {
        CLEAN: clean,
        AUGMENTED: logits(module, augmented),
        STUDY: _logits_in_training_mode(module, augmented, seed),
    }
    return {name: accuracy(output, labels) for name, output in outputs.items()}


def _batches(images: int) -> Iterator[slice]:
    """The study's batches: 128 test images in order; a single one left over joins the last."""
    # batch norm has no statistics of one image whose feature maps are 1x1 (net3 with kernel 7)
    starts = range(0, max(images - 1, 1), BATCH_SIZE)
    return (slice(start, stop) for start, stop in pairwise([*starts, images]))


def _logits_in_training_mode(module: nn.Module, images: torch.Tensor, seed: int) -> torch.Tensor:
    """Outputs with dropout on and each batch's own statistics."""
    # training mode moves the running statistics of batch norm, so a copy takes the harm
    module = deepcopy(module).train()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        return torch.cat([module(images[part]) for part in _batches(len(images))])
