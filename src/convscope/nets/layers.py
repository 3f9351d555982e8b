"""Layer lists, and the torch modules that they stand for.

A network is a list of layers; everything else (the torch module, map sizes, parameter counts) is
computed from it.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from torch import nn

IMAGE_CHANNELS = 3
IMAGE_SIZE = 32


@dataclass(frozen=True)
class Conv:
    """A convolution with square kernels and a bias; ``padding`` zeros on every side."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True)
class Norm:
    """Batch normalization with torch's default settings."""


@dataclass(frozen=True)
class ReLU:
    """The rectifier, max(0, x)."""


@dataclass(frozen=True)
class Pool:
    """2x2 max pooling, stride 2."""


@dataclass(frozen=True)
class Flatten:
    """Feature maps (C, H, W) to a vector of C * H * W features."""


@dataclass(frozen=True)
class Dropout:
    """Zeroes an activation with probability ``rate`` while training."""

    rate: float


@dataclass(frozen=True)
class Linear:
    """A fully connected layer with a bias."""

    features: int


Layer = Conv | Norm | ReLU | Pool | Flatten | Dropout | Linear


def assemble(layer_list: Sequence[Layer]) -> nn.Sequential:
    """Turn a layer list into a torch module; with freshly drawn weights.

    Max pooling goes before ReLU, where a list has it after: the two commute exactly, and the
    rectifier then has a quarter of the work.

    Returns:
        A module whose children are named conv1, norm1, pool1, relu1, ..., flatten, fc1, ...

    Raises:
        ValueError: A feature map would vanish, or a layer would have no filters.
    """
    children: OrderedDict[str, nn.Module] = OrderedDict()
    counts: Counter[str] = Counter()
    channels, size = IMAGE_CHANNELS, IMAGE_SIZE
    for layer in _pool_first(layer_list):
        name, child = _child(layer, channels)
        counts[name] += 1
        children[name if name == "flatten" else f"{name}{counts[name]}"] = child
        size = _map_size(layer, size)
        match layer:
            case Conv():
                channels = layer.channels
            case Flatten():
                channels *= size * size
            case Linear():
                channels = layer.features
    return nn.Sequential(children)


def _child(layer: Layer, channels: int) -> tuple[str, nn.Module]:
    """A layer's name and module, for an input of ``channels`` channels or features."""
    match layer:
        case Conv(wanted, kernel, stride, padding):
            if wanted < 1:
                raise ValueError("a convolution would have no filters")
            return "conv", nn.Conv2d(channels, wanted, kernel, stride, padding)
        case Norm():
            return "norm", nn.BatchNorm2d(channels)
        case ReLU():
            return "relu", nn.ReLU()
        case Pool():
            return "pool", nn.MaxPool2d(2)
        case Flatten():
            return "flatten", nn.Flatten()
        case Dropout(rate):
            return "dropout", nn.Dropout(rate)
        case Linear(features):
            return "fc", nn.Linear(channels, features)


def _pool_first(layer_list: Sequence[Layer]) -> list[Layer]:
    """The same network with every "ReLU, Pool" turned into "Pool, ReLU"."""
    ordered = list(layer_list)
    for index, (layer, following) in enumerate(pairwise(layer_list)):
        if isinstance(layer, ReLU) and isinstance(following, Pool):
            ordered[index : index + 2] = [following, layer]
    return ordered


def _map_size(layer: Layer, size: int) -> int:
    """The side of the square feature map after a layer, in pixels."""
    match layer:
        case Conv():
            after = (size + 2 * layer.padding - layer.kernel) // layer.stride + 1
            what = f"a {layer.kernel}x{layer.kernel} convolution"
        case Pool():
            after, what = size // 2, "a 2x2 pooling"
        case _:
            return size
    if after < 1:
        raise ValueError(f"the {size}x{size} feature map is too small for {what}")
    return after


def final_size(layer_list: Sequence[Layer]) -> int:
    """The side of the square feature map after all layers, in pixels; images are 32x32."""
    return reduce(lambda size, layer: _map_size(layer, size), layer_list, IMAGE_SIZE)
