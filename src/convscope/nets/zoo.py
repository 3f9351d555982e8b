"""The study's networks as layer lists, and the modules built of them.

Adding a network means adding a function to ``NETS``.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from torch import nn

from convscope.base.names import CLASSES, POINT
from convscope.nets.layers import (
    Conv,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Norm,
    Pool,
    ReLU,
    assemble,
    final_size,
)

# the classes of a point that does not say how many: those of CIFAR-10
USUAL_CLASSES = 10
HEAD = (120, 84)


@dataclass(frozen=True)
class Shape:
    """The part of a point that shapes a network: ``SHAPE_AXES``, and how many classes there are.

    Attributes:
        l1_oc: Filters of the first convolution.
        filter_multiplier: How the number of filters grows from one width to the next.
        kernel_size: Side of every kernel, in pixels.
        stride: Stride of every convolution.
        dropout_rate: Probability of dropping an input of a fully connected layer.
        classes: The outputs, one a class of the data set.
    """

    l1_oc: int
    filter_multiplier: float = 2.0
    kernel_size: int = 3
    stride: int = 1
    dropout_rate: float = 0.0
    classes: int = USUAL_CLASSES

    def conv(self, power: int, padding: int = 0) -> Conv:
        """A convolution whose filters are multiplied ``power`` times, and rounded down."""
        filters = int(self.l1_oc * self.filter_multiplier**power)
        return Conv(filters, self.kernel_size, self.stride, padding)


def _net1(shape: Shape) -> list[Layer]:
    return [shape.conv(0), ReLU(), Pool(), shape.conv(1), ReLU(), Pool(), *_head(shape)]


def _net2(shape: Shape) -> list[Layer]:
    return _two_blocks(shape, []) + _head(shape)


def _net3(shape: Shape) -> list[Layer]:
    return _two_blocks(shape, [Norm()]) + _head(shape, shape.dropout_rate)


def _two_blocks(shape: Shape, between: list[Layer]) -> list[Layer]:
    """Net2's base, with ``between`` put after each convolution."""
    layers: list[Layer] = []
    for first in (0, 2):
        layers += [shape.conv(first, padding=1), *between, ReLU()]
        layers += [shape.conv(first + 1), *between, ReLU()]
        # kernel 7 leaves a 1x1 map after the last convolution, which cannot be pooled
        if final_size(layers) > 1:
            layers.append(Pool())
    return layers


def _net4(shape: Shape) -> list[Layer]:
    layers: list[Layer] = []
    for powers in ((0, 0, 1), (2, 2, 3)):
        for power, padding in zip(powers, (1, 1, 0), strict=True):
            layers += [shape.conv(power, padding), Norm(), ReLU()]
        layers.append(Pool())
    return layers + _head(shape, shape.dropout_rate)


def _head(shape: Shape, dropout_rate: float | None = None) -> list[Layer]:
    """The three fully connected layers that every network ends in."""
    drop: list[Layer] = [] if dropout_rate is None else [Dropout(dropout_rate)]
    layers: list[Layer] = [Flatten()]
    for features in HEAD:
        layers += [*drop, Linear(features), ReLU()]
    return [*layers, *drop, Linear(shape.classes)]


@dataclass(frozen=True)
class Net:
    """A network of the study.

    Attributes:
        layers: Its layer list as a function of the shape.
        usual: Its usual shape.
        compared: Whether its best run is compared with those of the other networks.
    """

    layers: Callable[[Shape], list[Layer]]
    usual: Shape
    compared: bool = True


NETS = {
    # the PyTorch tutorial's network: 6 filters, then int(6 * 8/3) = 16
    "baseline": Net(_net1, Shape(6, filter_multiplier=8 / 3, kernel_size=5), compared=False),
    "net1": Net(_net1, Shape(18)),
    "net2": Net(_net2, Shape(64, kernel_size=5)),
    "net3": Net(_net3, Shape(96, dropout_rate=0.1)),
    "net4": Net(_net4, Shape(64, dropout_rate=0.3)),
}


def layers(net: str, **point: float) -> list[Layer]:
    """The layer list of a network (study, part 1).

    Args:
        net: A key of ``NETS``.
        **point: The point's keys as in history.csv. Left-out shape keys take the network's usual
            value; those that only concern training are ignored. ``classes`` is 10 if left out.

    Raises:
        ValueError: The network or a key is unknown, or no network has this shape.
    """
    if net not in NETS:
        raise ValueError(f"unknown network {net!r}; known: {', '.join(NETS)}")
    if unknown := sorted(set(point) - {*POINT, CLASSES}):
        raise ValueError(f"unknown key of a point: {', '.join(unknown)}")
    usual = asdict(NETS[net].usual)
    # a table of points may hold whole numbers as floats
    shape = Shape(**{key: type(value)(point.get(key, value)) for key, value in usual.items()})
    found = NETS[net].layers(shape)
    if shape.dropout_rate and not any(isinstance(layer, Dropout) for layer in found):
        raise ValueError(f"{net} has no dropout, so dropout_rate must be 0")
    if found[-1] != Linear(shape.classes):
        raise ValueError(f"{net} must end in Linear(shape.classes), an output for each class")
    return found


def widths(net: str, **point: float) -> dict[str, int]:
    """How many filters each convolution of a network has, by its name in what ``build`` returns.

    Raises:
        ValueError: As for ``layers``.
    """
    channels = [layer.channels for layer in layers(net, **point) if isinstance(layer, Conv)]
    return {f"conv{number}": filters for number, filters in enumerate(channels, start=1)}


def build(net: str, **point: float) -> nn.Sequential:
    """Build a network with freshly drawn weights (torch's default initialization).

    Returns:
        A module from images (B, 3, 32, 32), float in [0, 1], to logits (B, classes). Its children
        are named conv1, norm1, pool1, relu1, ..., flatten, dropout1, fc1, ..., fc3.

    Raises:
        ValueError: As for ``layers``, or a feature map would vanish.
    """
    return assemble(layers(net, **point))


def parameter_count(module: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters())
