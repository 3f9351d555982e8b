"""What the three analyses found, as the page shows it: read from their finished folders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from convscope.analysis.ablation import atlas_tables, joint
from convscope.analysis.filters import responses
from convscope.base import metrics
from convscope.base.report_folder import Finished
from convscope.nets.receptive_field import receptive_field
from convscope.report.explorer import packing


@dataclass(frozen=True)
class Analyses:
    """The finished folders of the three analyses of a network."""

    occluded: Finished
    ablated: Finished
    identified: Finished


# classes that lose most without a filter
HURT = 3
# images that a filter which the pipeline did not look at responds to most
HERE = 5


def together(ablated: Finished, images: int) -> dict[str, Any]:
    """What the selected filters cost together, of so many test images.

    Returns:
        ``filters`` by convolution, the ``drop`` in points of accuracy with its 95 % interval from
        ``low`` to ``high``, the classes ``hurt`` most, and ``images``.
    """
    table = ablated.filled("class_accuracy", ["class"], numbers=["drop_points"])
    drops = dict(zip(table["class"], table["drop_points"].tolist(), strict=True))
    overall = drops.pop(joint.OVERALL, 0.0)
    lost = len(ablated.table("newly_misclassified", numbers=["image"]))
    gained = lost - round(overall * images / 100)
    filters = ablated.param("filter_ablation", "filters", dict) or {}
    return {"filters": filters, **_cost(lost, gained, images, drops), "images": images}


def alone(
    ablated: Finished, classes: Sequence[str], images: int
) -> dict[str, list[dict[str, Any]]]:
    """What every filter costs alone, by convolution, over so many images of the atlas.

    The same numbers as of ``together``, and whether the drop is significant.
    """
    numbers = ["filter", "lost", "gained", "adjusted_p_value", *classes]
    table = ablated.filled("atlas", ["layer"], numbers=numbers)
    found: dict[str, list[dict[str, Any]]] = {}
    significant = atlas_tables.significant(table).tolist()
    for row, more in zip(table.to_dict("records"), significant, strict=True):
        cost = _cost(row["lost"], row["gained"], images, {name: row[name] for name in classes})
        found.setdefault(row["layer"], []).append({**cost, "significant": more})
    return found


def _cost(lost: int, gained: int, images: int, drops: Mapping[str, float]) -> dict[str, Any]:
    low, high = metrics.paired_difference_interval(int(lost), int(gained), images)
    worst = sorted(drops.items(), key=lambda item: -item[1])[:HURT]
    return {
        "drop": round(100 * (lost - gained) / images, 4),
        "low": round(100 * low, 4),
        "high": round(100 * high, 4),
        "hurt": [[name, round(points, 2)] for name, points in worst if points > 0],
    }


def windows_of(occluded: Finished) -> list[int]:
    """The sizes of the windows that there are maps of, ascending."""
    return sorted(int(name.removeprefix("map_")) for name in occluded.named("map_*.csv"))


def maps(occluded: Finished, shown: Collection[int]) -> dict[str, Any]:
    """The occlusion maps of the images that are shown, in order of ``windows`` and ``images``."""
    windows = windows_of(occluded)
    tables = {window: _map(occluded, window, shown) for window in windows}
    images = [] if not windows else tables[windows[0]]["image"].unique().tolist()
    values = [table["confidence"].to_numpy() for table in tables.values()]
    return {
        "images": images,
        "windows": windows,
        "values": packing.shares(np.concatenate(values) if values else []),
    }


def _map(occluded: Finished, window: int, shown: Collection[int]) -> pd.DataFrame:
    table = occluded.filled(f"map_{window}", numbers=["image", "row", "column", "confidence"])
    return table[table["image"].isin(list(shown))]


def top(identified: Finished, shown: Collection[int]) -> dict[str, Any]:
    """By selected filter, whether it is dead, and its first top images, with patches.

    None instead of these images where not all of them are shown.
    """
    edges = ["top", "left", "bottom", "right"]
    table = identified.filled("top_images", ["filter"], numbers=["image", "rank", *edges])
    sizes = identified.filled("responses", ["filter", "dead"])
    dead = dict(zip(sizes["filter"], sizes["dead"].tolist(), strict=True))
    found = {}
    for name, rows in table[table["rank"] <= HERE].groupby("filter", sort=False):
        first = rows.sort_values("rank")[["image", *edges]].astype(int)
        whole = first["image"].isin(list(shown)).all()
        found[str(name)] = {
            "dead": bool(dead.get(name)),
            "images": first.to_numpy().tolist() if whole else None,
        }
    return found


def top_here(
    module: nn.Sequential, layers: Sequence[str], images: Tensor, numbers: Sequence[int]
) -> dict[str, list[list[list[int]]]]:
    """By convolution and filter, the page's images that it responds to most, with patches."""
    measured = responses.measure(module, layers, images)
    found = {}
    for layer in layers:
        field = receptive_field(module, layer)
        best = measured[layer].total.sort(dim=0, descending=True, stable=True).indices[:HERE]
        found[layer] = [
            [
                [numbers[at], *responses.patch(measured[layer].position[at, index].tolist(), field)]
                for at in best[:, index].tolist()
            ]
            for index in range(best.shape[1])
        ]
    return found
