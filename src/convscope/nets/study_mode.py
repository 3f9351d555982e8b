"""Test a network as the study did: in training mode, on augmented images.

In training mode dropout drops, and batch norm goes by each batch's own statistics.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import pairwise

import torch
from torch import Tensor, nn

from convscope.data import augment
from convscope.data.augment import Augmentation
from convscope.nets.inference import as_input

BATCH_SIZE = 256  # the study's, while testing


def augmented(images: Tensor, augmentation: Augmentation, seed: int) -> Iterator[Tensor]:
    """The batches that the study tests with: augmented images in order, the draws of a seed.

    Args:
        images: (N, 3, 32, 32) uint8, on any device.
        augmentation: What the network was trained with.
        seed: Of the generator, on the CPU, that all draws come from.

    Yields:
        (B, 3, 32, 32) float32 in [0, 1]; a single image left over joins the last batch.
    """
    generator = torch.Generator().manual_seed(seed)
    draws = augment.draw(len(images), augmentation, generator).to(images.device)
    # batch norm has no statistics of one image whose feature maps are 1x1 (net3 with kernel 7)
    starts = range(0, max(len(images) - 1, 1), BATCH_SIZE)
    for start, stop in pairwise([*starts, len(images)]):
        yield augment.apply(images[start:stop], draws[start:stop])


def logits(module: nn.Module, batches: Iterable[Tensor], seed: int) -> Tensor:
    """A network's outputs in training mode, (N, classes) float32.

    The network is left as it is, running statistics included, and so is torch's global random
    state. What dropout drops is drawn from the seed.

    Args:
        module: In either mode.
        batches: (B, 3, 32, 32) float in [0, 1]; each batch is normalized by itself.
        seed: 0 to 2**63 - 1.
    """
    # training mode moves the running statistics of batch norm, so a copy takes the harm
    module = deepcopy(module).train()
    device = next(module.parameters()).device
    drawn_on = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(drawn_on), torch.no_grad():
        torch.manual_seed(seed)
        return torch.cat([module(as_input(batch, device)).float() for batch in batches])


def differs(module: nn.Module, augmentation: Augmentation) -> bool:
    """Whether this way of testing can give another accuracy than evaluation on clean images."""
    by_mode = (nn.Dropout, nn.BatchNorm2d)
    return augmentation.changes or any(isinstance(part, by_mode) for part in module.modules())
