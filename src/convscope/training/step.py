"""A training step: gather a batch of images, augment it, go down the gradient of its loss.

A step reads no number back from its device. So a GPU can be given many steps ahead, and can replay
one (``cuda_graph.py``).
"""

import torch
from torch import Tensor, nn

from convscope.data.augment import Draws, apply
from convscope.data.datasets import to_unit
from convscope.training.sgd import Sgd


class Step:
    """The training step of a run, and what its steps since ``reset`` add up to.

    Attributes:
        loss: () float64, the sum of the images' losses.
        correct: () int64, how many images were classified correctly.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: Sgd,
        images: Tensor,
        labels: Tensor,
        bf16: bool,
    ) -> None:
        """Prepare steps on a training set.

        Args:
            module: From images (B, 3, 32, 32), float in [0, 1], to logits (B, classes).
            optimizer: Of its parameters.
            images: (N, 3, 32, 32) uint8, on the device that computes, as are the labels.
            labels: (N,) int64.
            bf16: Whether to compute in bfloat16 where torch's autocast does.
        """
        self._module, self._optimizer = module, optimizer
        self._images, self._labels, self._bf16 = images, labels, bf16
        self.loss = torch.zeros((), dtype=torch.float64, device=images.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=images.device)

    def reset(self) -> None:
        """Begin new sums."""
        self.loss.zero_()
        self.correct.zero_()

    def batch(self, index: Tensor, *draws: Tensor) -> tuple[Tensor, Tensor]:
        """A batch as the network sees it.

        Args:
            index: (B,) int64, which training images.
            draws: Their augmentation, the fields of a ``Draws`` in order; none for clean images.

        Returns:
            Images (B, 3, 32, 32), float32 in [0, 1], channels last in memory, and labels (B,).
        """
        images = self._images[index]
        pixels = apply(images, Draws(*draws)) if draws else to_unit(images)
        return pixels.contiguous(memory_format=torch.channels_last), self._labels[index]

    def __call__(self, index: Tensor, *draws: Tensor) -> None:
        """Take a step on a batch; arguments as for ``batch``.

        Raises:
            ValueError: The batch is too small for the module to be trained on.
        """
        # nothing here outlives the call: what held on to the gradients' graph of an ordinary call
        # would keep CUDA from recording the next one
        images, labels = self.batch(index, *draws)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._bf16):
            output = self._module(images)
            loss = nn.functional.cross_entropy(output, labels)
        self._module.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        self.loss += loss.detach() * len(labels)
        self.correct += (output.detach().argmax(1) == labels).sum()
