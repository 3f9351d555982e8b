"""Sets of filters that chance draws, ablated together: whether the selected ones are special."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import pandas as pd
import torch
from torch import Tensor, nn

from convscope.analysis.ablation.joint import Comparison, ablated
from convscope.base import metrics
from convscope.base.parallel import side_by_side
from convscope.nets.filter_selection import Chosen
from convscope.nets.fused import fused
from convscope.nets.inference import logits

SETS, SEED = 50, 0


def draw(module: nn.Module, like: Chosen, sets: int = SETS, seed: int = SEED) -> list[Chosen]:
    """Sets of as many filters of each layer as another set has, each set without repeats.

    The same network, set and seed give the same sets on every machine.
    """
    generator = torch.Generator().manual_seed(seed)
    widths = {layer: len(module.get_submodule(layer).get_parameter("weight")) for layer in like}
    return [
        {
            layer: sorted(
                torch.randperm(widths[layer], generator=generator)[: len(numbers)].tolist()
            )
            for layer, numbers in like.items()
        }
        for _ in range(sets)
    ]


def costs(
    module: nn.Sequential,
    sets: Sequence[Chosen],
    images: Tensor,
    intact: Comparison,
    groups: Mapping[str, Sequence[str]],
    pairs: Sequence[tuple[str, str]] = (),
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """What each set costs when it is ablated together: one more pass over the images for a set.

    Batch normalization is folded into the convolutions, so single logits differ from the plain
    network's by rounding.

    Args:
        module: The network, which stays as it is.
        sets: The sets of filters.
        images: (N, 3, 32, 32) uint8.
        intact: Their labels, and the outputs of the intact network as ``before``.
        groups: The data set's groups of classes, if it has any.
        pairs: Classes of which is counted how often they are taken for each other.
        progress: Called with the sets done, and all.

    Returns:
        A row a set: set, from 1; filters, as the tables name them, with spaces between;
        accuracy_percent; drop_points, accuracy lost; for each two groups a column such as
        ``vehicles_as_animals``, the images of the one taken for the other; for each group one such
        as ``vehicles_drop_points``, the mean accuracy that its classes lost; and for each pair one
        such as ``cat_dog_mixed_up``, the images of either taken for the other.
    """

    def outputs(chosen: Chosen) -> Tensor:
        return logits(fused(ablated(module, chosen).eval()), images)

    rows = []
    outputs_by_set = side_by_side(outputs, sets, intact.before.device)
    for number, (chosen, after) in enumerate(zip(sets, outputs_by_set, strict=True), start=1):
        filters = " ".join(f"{layer}/{i}" for layer in chosen for i in chosen[layer])
        cost = _cost(replace(intact, after=after), groups, pairs)
        rows.append({"set": number, "filters": filters, **cost})
        if progress:
            progress(number, len(sets))
    return pd.DataFrame(rows)


def _cost(
    found: Comparison, groups: Mapping[str, Sequence[str]], pairs: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """The columns of one set, but for its number and its filters."""
    before, after = (metrics.accuracy(each, found.labels) for each in (found.before, found.after))
    errors = found.between_groups(groups).set_index(["true", "predicted"])["after"]
    drops = found.class_accuracy().set_index("class")["drop_points"]
    cells = metrics.labeled(found.confusion()["after"], found.classes).set_index("true")
    return {
        "accuracy_percent": 100 * after,
        "drop_points": 100 * (before - after),
        **{f"{a}_as_{b}": int(errors[a, b]) for a, b in permutations(groups, 2)},
        **{f"{a}_drop_points": drops[[*groups[a]]].mean() for a in groups},
        **{f"{a}_{b}_mixed_up": int(cells[a][b] + cells[b][a]) for a, b in pairs},
    }
