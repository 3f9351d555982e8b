"""Whether filters of the first convolution measure the brightness of what they see.

A filter's response at a position is a weighted sum of the pixels that it sees there, so that its
correlation with their mean follows from the covariance of these pixels: of any weights, also of
those that chance draws, without another look at the images.
"""

from collections import OrderedDict
from itertools import islice

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from convscope.nets.fused import folded
from convscope.nets.inference import BATCH_SIZE, evaluating

DRAWN, SEED = 20_000, 0
# of a variance that is less, relative to the weights' and the pixels' own, rounding is what is left
_NONE = 1e-12


def covariance(module: nn.Sequential, images: Tensor) -> Tensor:
    """How the pixels vary together that a unit of the first convolution sees.

    Zeros around the images count as black pixels. Images are (N, 3, H, W) uint8; N > 0.

    Returns:
        (P, P) float64 over all positions of all images, in squared levels of 255, on the CPU; P is
        the length of a filter's weights, in their order.
    """
    conv = _first(module)[1]
    (rows, columns), (down, across) = conv.kernel_size, conv.stride
    above, left = map(int, conv.padding)
    length = images.shape[1] * rows * columns
    # levels are whole numbers, and so are these sums: exact, whatever the order of adding
    sums, products = torch.zeros(length).double(), torch.zeros(length, length).double()
    count = 0
    for batch in images.split(BATCH_SIZE):
        padded = functional.pad(batch.double(), (left, left, above, above)).transpose(0, 1)
        windows = padded.unfold(2, rows, down).unfold(3, columns, across)
        seen = windows.permute(0, 4, 5, 1, 2, 3).reshape(length, -1)
        sums += seen.sum(1).cpu()
        products += (seen @ seen.T).cpu()
        count += seen.shape[1]
    return (products - sums.outer(sums) / count) / count


def correlations(weights: Tensor, seen: Tensor) -> Tensor:
    """The correlation of weighted sums of pixels with the pixels' mean.

    Args:
        weights: (C, P) float64.
        seen: The pixels' covariance.

    Returns:
        (C,) float64 in [-1, 1]; 0 where a sum, or the mean, does not vary.
    """
    spread = ((weights @ seen) * weights).sum(1)
    most = weights.square().sum(1) * seen.trace()
    both = (spread * seen.sum()).where(spread > _NONE * most, torch.inf)
    found: Tensor = (weights @ seen.sum(1) / both.sqrt()).nan_to_num().clamp(-1, 1)
    return found


def by_filter(module: nn.Sequential, seen: Tensor) -> pd.DataFrame:
    """How each filter of the first convolution responds to brightness.

    Brightness is the mean of the pixels that a filter sees, of all three colors. Batch
    normalization is part of the filter.

    Returns:
        A row a filter: filter (``conv1/0``); correlation of its response, before ReLU, with the
        brightness, over all positions of all images; and cosine, how similar its weights are to as
        many ones; both in [-1, 1], and 0 of a filter of zeros.
    """
    name, conv = _first(module)
    weights = conv.weight.detach().cpu().double().flatten(1)
    lengths = weights.norm(dim=1) * weights.shape[1] ** 0.5
    return pd.DataFrame(
        {
            "filter": [f"{name}/{number}" for number in range(len(weights))],
            "correlation": correlations(weights, seen).tolist(),
            "cosine": (weights.sum(1) / lengths.where(lengths > 0, 1)).tolist(),
        }
    )


def by_chance(
    found: pd.DataFrame, seen: Tensor, drawn: int = DRAWN, seed: int = SEED
) -> pd.DataFrame:
    """Whether the highest correlation of ``by_filter`` is more than chance gives.

    Neighboring pixels are alike, so that weights need not be alike to follow the brightness. Drawn
    are filters of as many weights, uniform in [-1, 1].

    Returns:
        One row: filters, how many there are; drawn; highest, their highest correlation;
        chance_highest, the highest of as many drawn filters, in the median; and p_value, how likely
        chance gives ``highest`` or more (with the measured one counted, as Phipson and Smyth,
        "Permutation P-values should never be zero", 2010).
    """
    generator = torch.Generator().manual_seed(seed)
    weights = 2 * torch.rand(drawn, len(seen), generator=generator, dtype=torch.float64) - 1
    chance, highest = correlations(weights, seen), found["correlation"].max()
    share = (int((chance >= highest).sum()) + 1) / (drawn + 1)
    return pd.DataFrame(
        {
            "filters": [len(found)],
            "drawn": drawn,
            "highest": highest,
            "chance_highest": float(chance.quantile(0.5 ** (1 / len(found)))),
            "p_value": 1 - (1 - share) ** len(found),
        }
    )


def _first(module: nn.Sequential) -> tuple[str, nn.Conv2d]:
    """The first convolution, which all networks begin with, and its name."""
    with evaluating(module):
        beginning = nn.Sequential(OrderedDict(islice(module.named_children(), 2)))
        name, conv = next(iter(folded(beginning).named_children()))
    assert isinstance(conv, nn.Conv2d), "networks begin with a convolution"
    return name, conv
