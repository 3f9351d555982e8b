"""Patches as the study found them: the crop of an image whose own feature map sums highest.

The image gets a row and a column of black pixels on every side. Each of its square crops, a pixel
apart, goes by itself through the network, whose convolutions put their zeros around it, and the map
that the filter gives of it is summed.
"""

from collections import OrderedDict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.analysis.filters.responses import Patch
from convscope.analysis.filters.tables import Identified
from convscope.base.parallel import side_by_side
from convscope.nets.fused import folded, fused
from convscope.nets.inference import as_input, evaluating
from convscope.nets.layers import IMAGE_SIZE
from convscope.nets.receptive_field import feature_layer

BORDER = 1  # pixels
BATCH_SIZE = 256
AGREED = 0.5  # of what two patches cover together


@dataclass(frozen=True)
class Crop:
    """The best crop of a top image of a filter, beside the image's patch."""

    filter: Identified
    rank: int  # of the image among the filter's, from 1
    side: int  # in pixels
    total: float  # the sum of its map
    covers: Patch  # of the image
    overlap: float  # of the pixels that it and the patch cover together, the share in both
    chance: float  # the share of all crops of the image whose overlap is AGREED or more


def best(
    module: nn.Sequential, found: Sequence[Identified], images: Tensor, first: int
) -> list[Crop]:
    """The crop that sums highest, of equal ones the first by rows, in so many top images a filter.

    A crop is as large as the receptive field, its side rounded up to an odd number. The images are
    those that the filters were identified by, (N, 3, 32, 32) uint8.
    """
    crops = []
    for item in found:
        side = min(item.field.size | 1, IMAGE_SIZE + 2 * BORDER)
        places = _places(side)
        parts = _cut(images[item.images[:first].to(images.device)], side)
        sums = totals(module, item.layer, item.index, parts).view(-1, len(places))
        for rank, (of_image, patch) in enumerate(zip(sums, item.patches, strict=False), start=1):
            place, overlaps = int(of_image.argmax()), _overlaps(places, patch)
            crops.append(
                Crop(
                    filter=item,
                    rank=rank,
                    side=side,
                    total=float(of_image[place]),
                    covers=Patch(*places[place].tolist()),
                    overlap=float(overlaps[place]),
                    chance=float((overlaps >= AGREED).double().mean()),
                )
            )
    return crops


def totals(module: nn.Sequential, layer: str, index: int, images: Tensor) -> Tensor:
    """``responses.measure``'s totals of a single filter, faster and but for rounding: (N,).

    Of the filter's own layer nothing else is computed, and batch normalizations are part of the
    convolutions.
    """
    feature = feature_layer(module, layer)
    names = [name for name, _ in module.named_children()]
    beginning = OrderedDict(islice(module.named_children(), names.index(feature) + 1))
    device = next(module.parameters()).device

    def total(batch: Tensor) -> Tensor:
        found: Tensor = only(before(as_input(batch, device)))
        return found.float().sum((1, 2, 3)).cpu()

    with evaluating(module):
        *others, last = folded(nn.Sequential(beginning))
        assert isinstance(last, nn.Conv2d), "a feature map is a convolution's"
        before = fused(nn.Sequential(*others))
        only = deepcopy(last)
        only.weight = nn.Parameter(last.weight[[index]])
        only.bias = None if last.bias is None else nn.Parameter(last.bias[[index]])
        return torch.cat([*side_by_side(total, images.split(BATCH_SIZE), device)])


def by_image(crops: Sequence[Crop]) -> pd.DataFrame:
    """Every crop: filter, rank and image, the sum of its map, what it covers, and the overlap.

    It covers rows ``top`` to ``bottom - 1`` and columns ``left`` to ``right - 1`` of the image. The
    overlap is with the image's patch in ``tables.top_images``: of the pixels that they cover
    together, the share that both do. The study shows no crop whose sum is 0 or less.
    """
    return pd.DataFrame(
        {
            "filter": crop.filter.name,
            "rank": crop.rank,
            "image": int(crop.filter.images[crop.rank - 1]),
            "sum": crop.total,
            **crop.covers._asdict(),
            "overlap": crop.overlap,
        }
        for crop in crops
    )


def by_layer(crops: Sequence[Crop]) -> pd.DataFrame:
    """How often the crop and the patch are alike: their overlap is a half or more.

    Returns:
        A row a layer: layer; crop_size, its side in pixels; images; agree_share of them; and
        agree_by_chance, if all crops of an image were as likely the best; in [0, 1].
    """
    rows = pd.DataFrame(
        {
            "layer": crop.filter.layer,
            "crop_size": crop.side,
            "agree_share": float(crop.overlap >= AGREED),
            "agree_by_chance": crop.chance,
        }
        for crop in crops
    )
    layers = rows.groupby(["layer", "crop_size"], sort=False)
    means = layers[["agree_share", "agree_by_chance"]].mean().reset_index()
    means.insert(2, "images", layers.size().to_numpy())
    return means


def _cut(images: Tensor, side: int) -> Tensor:
    """All crops of images (N, 3, H, W) with their borders, by rows: (N * P, 3, side, side)."""
    padded = functional.pad(images, (BORDER,) * 4)
    windows = padded.unfold(2, side, 1).unfold(3, side, 1)
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, images.shape[1], side, side)


def _places(side: int) -> Tensor:
    """What each crop covers of the image, by rows: (P, 4) int64, as a ``Patch`` has it."""
    starts = torch.arange(IMAGE_SIZE + 2 * BORDER - side + 1) - BORDER
    corners = torch.cartesian_prod(starts, starts)
    return torch.cat([corners, corners + side], 1).clamp(0, IMAGE_SIZE)


def _overlaps(places: Tensor, patch: Patch) -> Tensor:
    """Of the pixels that each place covers together with a patch, the share in both: (P,)."""
    other = torch.tensor(patch)
    upper, lower = torch.maximum(places, other)[:, :2], torch.minimum(places, other)[:, 2:]
    both = (lower - upper).clamp(min=0).prod(1)
    areas = (places[:, 2:] - places[:, :2]).prod(1), (other[2:] - other[:2]).prod()
    return both.double() / (sum(areas) - both)
