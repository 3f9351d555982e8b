"""Answers of a network that is too wide to run in a page, computed before."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convscope.analysis.ablation import joint
from convscope.analysis.occlusion import sensitivity
from convscope.base.report_folder import Finished
from convscope.nets.inference import as_input, evaluating, logits
from convscope.nets.receptive_field import feature_layer
from convscope.report.explorer import findings, packing

# int8
LARGEST = 127


def record(
    module: nn.Sequential,
    images: Tensor,
    mapped: Sequence[int],
    filters: Mapping[str, Sequence[int]],
    occluded: Finished,
    ablated: Finished,
) -> dict[str, Any]:
    """What the page shows instead of computing it.

    Args:
        module: The network.
        images: (N, 3, 32, 32) uint8, those of the page.
        mapped: Which of them are shown with windows: places among the images.
        filters: Those that the study switches off together, by convolution.
        occluded: The folder of the stage occlusion, which has the windows' sizes.
        ablated: That of filter-ablation, which has the filters that matter most and least.

    Returns:
        ``windows``: their ``sizes``, the places of the ``images``, and ``shares``, a probability
        for each size, image, position and class. ``together``: logits with the selected filters
        off, for each image and class. ``alone``: ``filters``, and the ``logits`` for each filter,
        image and class with it off. ``maps``: by convolution its ``scale``, ``size``, ``filters``
        and the ``values`` for each filter, image and pixel, in steps of scale / 127.
    """
    sizes = findings.windows_of(occluded)
    covered = images[list(mapped)]
    answers = [sensitivity.answers(module, covered, size).flatten() for size in sizes]
    extremes = ablated.table("atlas_extremes", ["layer"], numbers=["filter"])
    selected = [(layer, int(index)) for layer, indices in filters.items() for index in indices]
    others = zip(extremes["layer"], extremes["filter"].astype(int).tolist(), strict=True)
    alone = list(dict.fromkeys([*selected, *others]))
    return {
        "windows": {
            "sizes": sizes,
            "images": list(mapped),
            "shares": packing.shares(torch.cat(answers).numpy() if answers else []),
        },
        "together": packing.logits(logits(joint.ablated(module, filters), images)),
        "alone": _alone(module, images, alone),
        "maps": _maps(module, images, filters),
    }


def _alone(
    module: nn.Sequential, images: Tensor, filters: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    found = [logits(joint.ablated(module, {layer: [index]}), images) for layer, index in filters]
    return {
        "filters": [f"{layer}/{index}" for layer, index in filters],
        "logits": packing.logits(torch.cat(found)),
    }


def _maps(
    module: nn.Sequential, images: Tensor, filters: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    wanted = {feature_layer(module, layer): layer for layer in filters}
    found = {}
    with evaluating(module):
        maps = as_input(images, next(module.parameters()).device)
        for name, child in module.named_children():
            if isinstance(child, nn.Flatten):
                break
            maps = child(maps)
            if (layer := wanted.get(name)) is not None:
                indices = list(filters[layer])
                scale = float(maps.abs().max()) or 1.0
                steps = (maps[:, indices].float().cpu() * (LARGEST / scale)).round()
                values = steps.permute(1, 0, 2, 3).contiguous().numpy().astype(np.int8)
                found[layer] = {
                    "scale": scale,
                    "size": maps.shape[-1],
                    "filters": indices,
                    "values": packing.text(values),
                }
    return found
