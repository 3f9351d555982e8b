"""Filters ablated to their means: what the network loses is what they tell it, not what they add.

A filter at zero also shifts what the next layer is used to get from it. In its place the next layer
gets here, at every position, what it gets on average (Morcos, Barrett, Rabinowitz and Botvinick,
"On the importance of single directions for generalization", 2018, compare both ways).
"""

from collections.abc import Mapping
from copy import deepcopy

import pandas as pd
import torch
from torch import Tensor, nn

from convscope.analysis.ablation.joint import Comparison
from convscope.nets.filter_selection import Chosen, check
from convscope.nets.fused import folded
from convscope.nets.inference import BATCH_SIZE, as_input, evaluating


def means(module: nn.Sequential, filters: Chosen, images: Tensor) -> dict[str, Tensor]:
    """By convolution the mean of what the next layer gets from each of its selected filters.

    That is behind ReLU and pooling, in evaluation mode, over all positions of all images, which are
    (N, 3, H, W), uint8, or float in [0, 1]; N > 0.

    Returns:
        For each convolution as many float64 as filters are selected, on the CPU.

    Raises:
        ValueError: The network has no such layer, or the layer no such filter.
    """
    check(module, filters)
    device = next(module.parameters()).device
    sums = {layer: torch.zeros(len(numbers)).double() for layer, numbers in filters.items()}
    with evaluating(module):
        blocks = _blocks(folded(module))
        last = max((index for index, (name, _) in enumerate(blocks) if name in filters), default=-1)
        for batch in images.split(BATCH_SIZE):
            maps = as_input(batch, device)
            for name, block in blocks[: last + 1]:
                maps = block(maps)
                if name in filters:
                    by_image = maps[:, list(filters[name])].mean((2, 3)).double()
                    sums[name] += by_image.sum(0).cpu()
    return {layer: total / len(images) for layer, total in sums.items()}


def _blocks(module: nn.Sequential) -> list[tuple[str, nn.Sequential]]:
    """Each convolution's name, and all layers from it up to the next one or to Flatten."""
    blocks: list[tuple[str, nn.Sequential]] = []
    for name, child in module.named_children():
        if isinstance(child, nn.Flatten):
            break
        if isinstance(child, nn.Conv2d):
            blocks.append((name, nn.Sequential()))
        blocks[-1][1].append(child)
    return blocks


def ablated(module: nn.Sequential, filters: Chosen, to: Mapping[str, Tensor]) -> nn.Sequential:
    """A copy of a network, in evaluation mode, whose filters give the same at every position.

    ``to`` is what the next layer gets from them, as ``means`` has it: 0 or more, which ReLU and
    pooling leave as it is. Batch normalizations are part of the convolutions; outputs differ by
    rounding.
    """
    copy = folded(deepcopy(module).eval())
    with torch.no_grad():
        for name, numbers in filters.items():
            conv = copy.get_submodule(name)
            conv.get_parameter("weight")[list(numbers)] = 0
            conv.get_parameter("bias")[list(numbers)] = to[name].to(conv.get_parameter("bias"))
    return copy


def class_accuracy(zeroed: Comparison, averaged: Comparison) -> pd.DataFrame:
    """Accuracy in percent by class and overall, with filters at zero and at their means.

    Both are of the same network and images.

    Returns:
        class, before_percent, zeroed_percent, averaged_percent, and the points that each way costs,
        zeroed_drop_points and averaged_drop_points; the last row, "overall", is of all images.
    """
    ways = {"zeroed": zeroed.class_accuracy(), "averaged": averaged.class_accuracy()}
    table = ways["zeroed"][["class", "before_percent"]].copy()
    for way, found in ways.items():
        table[f"{way}_percent"] = found["after_percent"]
    for way, found in ways.items():
        table[f"{way}_drop_points"] = found["drop_points"]
    return table
