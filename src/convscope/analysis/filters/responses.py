"""How filters respond to images, and to which parts of them (study, part 2.2.1)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from convscope.nets.inference import as_input, evaluating
from convscope.nets.layers import IMAGE_SIZE
from convscope.nets.receptive_field import Field, conv_layers, feature_layer


@dataclass(frozen=True)
class Responses:
    """What every filter of one layer makes of every image."""

    total: Tensor  # (N, C) float32, the response: the feature map's sum over its pixels
    largest: Tensor  # (N, C) float32, the feature map's largest value
    position: Tensor  # (N, C, 2) int64, row and column of that value; of equal ones, the first
    positive: Tensor  # (N, C) int64, how many values of the map are above 0, and so left by ReLU
    pixels: int  # of a feature map

    def dead(self) -> Tensor:
        """(C,) bool: whether no image makes a filter's map positive anywhere."""
        return self.largest.amax(0) <= 0

    def zeros(self) -> Tensor:
        """(N, C) float64: the share of a feature map that ReLU leaves at 0, in [0, 1]."""
        return 1 - self.positive.double() / self.pixels


class Patch(NamedTuple):
    """Part of an image: rows ``top`` to ``bottom - 1``, columns ``left`` to ``right - 1``."""

    top: int
    left: int
    bottom: int
    right: int


def measure(
    module: nn.Sequential, layers: Collection[str], images: Tensor, batch_size: int = 128
) -> dict[str, Responses]:
    """Every filter's response to every image.

    A response is the sum over the pixels of the filter's feature map after batch normalization, in
    evaluation mode, and before ReLU. The layers behind the last one wanted are not computed, and
    the network's mode is restored. Images are (N, 3, H, W), uint8, or float in [0, 1]; N > 0.

    Returns:
        For each of these convolutions, the responses of its C filters, on the CPU.

    Raises:
        ValueError: The network has no such convolution.
    """
    known = conv_layers(module)
    if unknown := [layer for layer in layers if layer not in known]:
        raise ValueError(
            f"no convolution {unknown[0]!r} in this network; it has {', '.join(known)}"
        )
    wanted = {feature_layer(module, layer): layer for layer in layers}
    children = list(module.named_children())
    last = max((index for index, (name, _) in enumerate(children) if name in wanted), default=-1)
    device = next(module.parameters()).device
    measured: dict[str, list[Responses]] = {layer: [] for layer in layers}
    with evaluating(module):
        for batch in torch.split(images, batch_size):
            maps = as_input(batch, device)
            for name, child in children[: last + 1]:
                maps = child(maps)
                if name in wanted:
                    measured[wanted[name]].append(_measure(maps.float()))
    return {layer: _joined(parts) for layer, parts in measured.items()}


def _measure(maps: Tensor) -> Responses:
    """Sums, largest values, their positions, and counts above 0 of feature maps (B, C, H, W)."""
    flat = maps.flatten(2)
    largest, where = flat.max(2)
    position = torch.stack([where // maps.shape[3], where % maps.shape[3]], dim=2)
    return Responses(flat.sum(2), largest, position, (flat > 0).sum(2), flat.shape[2])


def _joined(parts: Sequence[Responses]) -> Responses:
    """The responses to all images, from those to batches of them."""
    return Responses(
        total=torch.cat([part.total for part in parts]).cpu(),
        largest=torch.cat([part.largest for part in parts]).cpu(),
        position=torch.cat([part.position for part in parts]).cpu(),
        positive=torch.cat([part.positive for part in parts]).cpu(),
        pixels=parts[0].pixels,
    )


def patch(position: Sequence[int], field: Field) -> Patch:
    """The part of an image that the unit at a row and column sees, clipped at its border."""
    top, left = (field.start + int(place) * field.jump for place in position)
    return Patch(
        top=max(top, 0),
        left=max(left, 0),
        bottom=min(top + field.size, IMAGE_SIZE),
        right=min(left + field.size, IMAGE_SIZE),
    )


def first_layer_pictures(weight: Tensor) -> Tensor:
    """First-layer filters as pictures: gray where a weight is 0, brighter where it is positive.

    Returns:
        As ``weight``, (C, 3, k, k), in [0, 1]: 0.5 + weight / (2 max|weight|), each filter on its
        own scale; a filter of zeros is gray all over.
    """
    scale = weight.abs().amax(dim=(1, 2, 3), keepdim=True)
    return 0.5 + weight / (2 * scale.where(scale > 0, 1))
