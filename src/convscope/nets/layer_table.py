"""What a network is made of: a table with a row for each layer, in the study's order."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
import torch
from torch import nn

from convscope.nets.layers import (
    IMAGE_CHANNELS,
    IMAGE_SIZE,
    Conv,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Norm,
    Pool,
    ReLU,
    assemble,
)
from convscope.nets.receptive_field import receptive_field
from convscope.nets.zoo import parameter_count

COLUMNS = ("layer", "what", "width", "map_size", "receptive_field", "parameters")


def table(layer_list: Sequence[Layer]) -> pd.DataFrame:
    """A network layer by layer, from the image to the logits.

    Returns:
        One row for the image, then one for each layer in the order of the list: its name as
        ``zoo.build`` has it, what it is, the channels or features of its output, the side of its
        feature map and of one unit's receptive field in pixels (both missing from the flattening
        on), and its trainable parameters.

    Raises:
        ValueError: As for ``layers.assemble``.
    """
    rows: list[tuple[object, ...]] = [("image", "RGB pixels", IMAGE_CHANNELS, IMAGE_SIZE, 1, 0)]
    # a real network: to call one on torch's device without memory imports torch's compiler
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        module = _in_order(layer_list)
        output = torch.zeros(1, IMAGE_CHANNELS, IMAGE_SIZE, IMAGE_SIZE)
        for (name, child), layer in zip(module.named_children(), layer_list, strict=True):
            output = child(output)
            width, *sides = output.shape[1:]
            maps = (sides[0], receptive_field(module, name).size) if sides else (None, None)
            rows.append((name, describe(layer), width, *maps, parameter_count(child)))
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"map_size": "Int64", "receptive_field": "Int64"}
    )


def describe(layer: Layer) -> str:
    """What a layer is, in a few words: ``"conv 3x3, pad 1"``; steps and padding where not usual."""
    match layer:
        case Conv(kernel=kernel, stride=stride, padding=padding):
            moves = f", stride {stride}" if stride != 1 else ""
            return f"conv {kernel}x{kernel}{moves}{f', pad {padding}' if padding else ''}"
        case Norm():
            return "batch norm"
        case ReLU():
            return "ReLU"
        case Pool():
            return "max pool 2x2"
        case Flatten():
            return "flatten"
        case Dropout(rate):
            return f"dropout {rate:g}"
        case Linear():
            return "fully connected"


def _in_order(layer_list: Sequence[Layer]) -> nn.Sequential:
    """The module of a list in the list's own order: ``assemble`` puts pooling before ReLU."""
    children = list(assemble(layer_list).eval().named_children())
    for index, (layer, following) in enumerate(pairwise(layer_list)):
        if isinstance(layer, ReLU) and isinstance(following, Pool):
            children[index : index + 2] = reversed(children[index : index + 2])
    return nn.Sequential(OrderedDict(children))
