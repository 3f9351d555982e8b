"""Run a trained network over many images, batch by batch."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from convscope.base.parallel import side_by_side
from convscope.data.datasets import to_unit

BATCH_SIZE = 128  # measured: batches of 64 to 256 are the fastest on a CPU


@contextmanager
def evaluating(module: nn.Module) -> Iterator[nn.Module]:
    """Put a network in evaluation mode, without gradients, and back into its own mode after."""
    training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            yield module
    finally:
        module.train(training)


def logits(module: nn.Module, images: torch.Tensor, batch_size: int = BATCH_SIZE) -> torch.Tensor:
    """A network's outputs in evaluation mode, (N, classes) float32 on its device.

    Images are (N, 3, 32, 32), uint8, or float in [0, 1], on any device.
    """
    device = next(module.parameters()).device

    def outputs(batch: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = module(as_input(batch, device))
        return found.float()

    with evaluating(module):
        return torch.cat([*side_by_side(outputs, images.split(batch_size), device)])


def as_input(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Images, uint8 or float in [0, 1], as networks take them: float in [0, 1], channels last."""
    images = images.to(device)
    if images.dtype == torch.uint8:
        images = to_unit(images)
    return images.float().contiguous(memory_format=torch.channels_last)
