"""Three ways to test a network that was trained on augmented images.

The study left its networks in training mode while testing (dropout on, batch statistics), on
randomly augmented test images (study.yaml); later it switched to evaluation mode. The usual
way is evaluation mode on clean images.
"""

import torch
from torch import nn

from convscope.base.metrics import accuracy
from convscope.base.names import AUGMENTED, CLEAN, STUDY
from convscope.nets import inference, study_mode


def accuracies(
    module: nn.Module,
    batches: list[torch.Tensor],
    labels: torch.Tensor,
    clean: torch.Tensor,
    seed: int,
) -> dict[str, float]:
    """A network's accuracy, in [0, 1], by the name of each protocol.

    Args:
        module: Left as it is.
        batches: Of N test images, augmented, as ``study_mode.augmented`` has them.
        labels: (N,) int64.
        clean: (N, classes), the logits of the images as they are, in evaluation mode.
        seed: Draws what dropout drops.
    """
    outputs = {
        CLEAN: clean,
        AUGMENTED: inference.logits(module, torch.cat(batches)),
        STUDY: study_mode.logits(module, batches, seed),
    }
    return {name: accuracy(output, labels) for name, output in outputs.items()}
