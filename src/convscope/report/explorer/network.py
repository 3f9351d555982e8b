"""A trained network as the page's script runs it: its layers in order, and their weights."""

from collections.abc import Iterator
from dataclasses import asdict
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from convscope.nets.fused import folded
from convscope.nets.inference import evaluating
from convscope.nets.layers import IMAGE_CHANNELS, IMAGE_SIZE
from convscope.nets.receptive_field import conv_layers, receptive_field
from convscope.report.explorer import packing

# multiplications for an image: measured, 20 million of them take a browser 30 ms on a slow core
MOST_PRODUCTS = 40_000_000
# weights that a page of 6 megabytes has room for, beside its images and numbers
MOST_WEIGHTS = 1_000_000


def packed(module: nn.Sequential) -> dict[str, Any]:
    """The network: its layers, with offsets into the weights, and the weights as text.

    Batch normalizations are part of the convolutions before them. The weights of a layer are
    [input][output], a convolution's inputs being channel, row and column of the kernel, with the
    biases behind them.

    Raises:
        ValueError: The network has a layer that the script does not know.
    """
    parts: list[Tensor] = []
    layers = []
    with evaluating(module):
        for name, child, inputs, outputs in _shapes(folded(module)):
            start = sum(map(len, parts))
            layer, weights = _layer(name, child, inputs, outputs)
            if weights:
                taps = len(weights[0]) // len(weights[1])
                layer |= {"weight": start, "bias": start + len(weights[0]), "taps": taps}
                parts += weights
            layers.append(layer)
    values = torch.cat(parts).detach().numpy()
    return {"layers": layers, "packed": packing.floats(values)}


def _shapes(
    module: nn.Sequential,
) -> Iterator[tuple[str, nn.Module, torch.Size, torch.Size]]:
    """Each layer that computes, with the shapes of its input and its output for one image."""
    image = torch.zeros(1, IMAGE_CHANNELS, IMAGE_SIZE, IMAGE_SIZE)
    for name, child in module.named_children():
        if isinstance(child, nn.Dropout):
            continue
        output = child(image)
        yield name, child, image.shape[1:], output.shape[1:]
        image = output


def _layer(
    name: str, child: nn.Module, inputs: torch.Size, outputs: torch.Size
) -> tuple[dict[str, Any], list[Tensor]]:
    """What the script has to know of a layer, and its weights and biases, if it has any."""
    side = outputs[1] if len(outputs) == 3 else 1
    known = {"channels": outputs[0], "size": side, "outputs": prod(outputs)}
    match child:
        case nn.Conv2d(
            groups=1,
            padding_mode="zeros",
            dilation=(1, 1),
            kernel_size=(kernel, across),
            stride=(stride, aside),
            padding=(int(padding), around),
        ) if (kernel, stride, padding) == (across, aside, around):
            moves = {"kernel": kernel, "stride": stride, "padding": padding}
            shape = {"name": name, "input": inputs[1], **moves}
            weights = child.weight.permute(1, 2, 3, 0)
            return {"kind": "conv", **known, **shape, "channels": inputs[0]}, _flat(
                weights, child.bias
            )
        case nn.Linear():
            return {"kind": "linear", **known}, _flat(child.weight.T, child.bias)
        case nn.BatchNorm2d():
            return {"kind": "norm", **known}, list(_as_scale(child))
        case nn.MaxPool2d(kernel_size=2, stride=2, padding=0, ceil_mode=False):
            return {"kind": "pool", **known, "input": inputs[1], "kernel": 2, "stride": 2}, []
        case nn.ReLU():
            return {"kind": "relu", **known}, []
        case nn.Flatten():
            # its one unit sees all of the map
            return {"kind": "flatten", **known, "kernel": inputs[1]}, []
    raise ValueError(f"the page's script does not know layer {name}: {child}")


def _flat(weight: Tensor, bias: Tensor | None) -> list[Tensor]:
    biases = torch.zeros(weight.shape[-1]) if bias is None else bias
    return [weight.flatten().float(), biases.float()]


def _as_scale(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A normalization in evaluation mode as a factor and a summand for each channel."""
    ones = torch.ones(1, norm.num_features, 1, 1)
    shift = norm(torch.zeros_like(ones)).flatten()
    return norm(ones).flatten() - shift, shift


def products(module: nn.Sequential) -> int:
    """How many multiplications the network does for an image."""
    with evaluating(module):
        return sum(
            child.weight[0].numel() * prod(outputs)
            for _, child, _, outputs in _shapes(module)
            if isinstance(child, nn.Conv2d | nn.Linear)
        )


def convolutions(module: nn.Sequential) -> list[dict[str, Any]]:
    """Each convolution: its name, filters, the side of its feature map, and what a unit sees."""
    with evaluating(module):
        shapes = {name: outputs for name, _, _, outputs in _shapes(module)}
    return [
        {
            "name": name,
            "filters": shapes[name][0],
            "size": shapes[name][1],
            "field": asdict(receptive_field(module, name)),
        }
        for name in conv_layers(module)
    ]


def is_live(module: nn.Sequential) -> bool:
    """Whether a browser can run the network while a window is dragged, and a page hold it."""
    weights = sum(parameter.numel() for parameter in module.parameters())
    return weights <= MOST_WEIGHTS and products(module) <= MOST_PRODUCTS
