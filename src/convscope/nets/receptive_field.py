"""The pixels of the image that a unit of a feature map sees, and where the feature maps are."""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn


@dataclass(frozen=True)
class Field:
    """The input pixels that the units of a feature map see.

    Unit (i, j) sees rows ``start + i * jump`` to ``start + i * jump + size - 1`` of the image, and
    columns likewise with j. ``start`` is negative where zero padding reaches outside the image.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def through(self, kernel: int, stride: int, padding: int) -> "Field":
        """The field after one more layer with this kernel, stride and padding."""
        return Field(
            size=self.size + (kernel - 1) * self.jump,
            jump=self.jump * stride,
            start=self.start - padding * self.jump,
        )


def receptive_field(module: nn.Sequential, layer: str) -> Field:
    """The receptive field of a layer's units, for example of ``"conv4"``.

    Raises:
        ValueError: The network has no such layer, or the layer comes after the feature maps.
    """
    field = Field()
    for name, child in module.named_children():
        match child:
            case nn.Conv2d():
                padding = child.padding[0]
                assert isinstance(padding, int), "networks pad by a number of pixels"
                field = field.through(child.kernel_size[0], child.stride[0], padding)
            case nn.MaxPool2d():
                field = field.through(2, 2, 0)
            case nn.Flatten():
                break
        if name == layer:
            return field
    raise ValueError(f"no feature map {layer!r} in this network")


def conv_layers(module: nn.Module) -> list[str]:
    """The names of the convolutions, from input to output: conv1, conv2, ..."""
    return [name for name, child in module.named_children() if isinstance(child, nn.Conv2d)]


def feature_layer(module: nn.Module, conv: str) -> str:
    """The child whose output is a convolution's feature map as the study reads it.

    That is after batch normalization, where the network has it, and before ReLU and pooling.
    """
    for (name, _), (following, child) in pairwise(module.named_children()):
        if name == conv and isinstance(child, nn.BatchNorm2d):
            return following
    return conv
