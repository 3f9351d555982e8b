"""Sentences and tables on occluded images, ablated filters, and what filters respond to."""

from collections.abc import Hashable
from itertools import combinations

import pandas as pd

from convscope.base.report_folder import Finished
from convscope.report.document import columns
from convscope.report.document.columns import Headings
from convscope.report.document.text import counted
from convscope.study import published

# by chance, a mean is farther than this many standard errors off once in twenty times
ERRORS = 1.96
ROUNDING = 1e-9  # pixels: sums of shares differ by less where they should be equal
SIGNIFICANT = 0.05
_TESTED = ["first_costs_more", "halves_p_value", "correlation", "p_value"]
_OTHERS = ["but_last_correlation", "but_last_p_value", "layer_correlation", "layer_p_value"]


def shown_images(occluded: Finished) -> int:
    """How many images have confidence maps."""
    return int(occluded.filled("by_image", ["image"])["image"].nunique())


def of_a_class(occluded: Finished) -> str:
    """How few images a class's mean is of."""
    images = occluded.filled("by_image", ["image", "class"])[["image", "class"]].drop_duplicates()
    counts = images["class"].value_counts()
    least, most = counts.min(), counts.max()
    number = ("" if least == most else f"{least} to ") + counted(most, "image")
    return f"{number} a class: illustrations. Those that are surveyed below are more."


def by_window(occluded: Finished, name: str, measure: str) -> tuple[pd.DataFrame, Headings]:
    """One measure of a long table: a row a class, a column a window size, and its headings."""
    frame = occluded.filled(name, ["class"], numbers=["window"], gaps=[measure])
    if frame.duplicated(["class", "window"]).any():
        raise occluded.damaged(f"{name}.csv", "it has several rows for a class and window")
    wide = frame.pivot(index="class", columns="window", values=measure)
    wide = wide.loc[frame["class"].unique(), frame["window"].unique()]
    wide = wide.rename(columns=window).reset_index()
    return wide, columns.of_classes(wide, columns.known(measure)[1])


def window(size: float) -> str:
    """A window's size in words, which are a table's heading too."""
    return f"{size:.0f} × {size:.0f}" if size else "No window"  # noqa: RUF001


def where_deepest(occluded: Finished) -> dict[str, list[str]]:
    """With which windows the drop is deepest nearer to the center than by chance, and so on."""
    numbers = ["window", "mean_distance", "chance_distance", "standard_error"]
    frame = occluded.filled("deepest_by_window", numbers=numbers)[numbers]
    sides = ("nearer to", "farther from", "neither measurably nearer to nor farther from")
    found: dict[str, list[str]] = {side: [] for side in sides}
    for size, mean, chance, error in frame.itertuples(index=False):
        side = sides[2]
        if abs(mean - chance) > ERRORS * error + ROUNDING:
            side = sides[0] if mean < chance else sides[1]
        measured = f"{mean:.1f} pixels, standard error {error:.1f}; by chance {chance:.1f}"
        found[side].append(f"{window(size)} ({measured})")
    return {side: windows for side, windows in found.items() if windows}


def depth(ablated: Finished) -> "pd.Series[float]":
    """How the atlas compares earlier with later layers; measures that it cannot have are NaN."""
    counts, measures = ["images", "filters", "significant"], [*_TESTED, *_OTHERS]
    frame = ablated.filled("atlas_depth", numbers=counts, gaps=measures)
    return frame[[*counts, *measures]].astype(float).iloc[0]


def verdict(ablated: Finished) -> str:
    """Whether earlier layers matter more than later ones; empty if every filter costs the same.

    Two measures are asked: pairs of filters of the two halves, and the ranks of all filters.
    """
    share, pairs_p, correlation, ranks_p = tested = depth(ablated)[_TESTED]
    if tested.isna().any():
        return ""
    measures = ((share > 0.5, pairs_p), (correlation < 0, ranks_p))
    earlier = [bool(more) for more, p_value in measures if p_value < SIGNIFICANT]
    if not earlier:
        return "There is no significant difference between earlier and later layers."
    if len(set(earlier)) == 2:
        return "Whether earlier layers matter more depends on the measure."
    side = "earlier" if earlier[0] else "later"
    measure = ", by one of two measures" if len(earlier) == 1 else ""
    return f"Filters of {side} layers more often cost more{measure}{_exception(ablated, side)}."


def p(p_value: float) -> str:
    """A p-value inside a sentence."""
    shown = columns.P_VALUE.show(p_value)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def correlation(measured: "pd.Series[float]", which: str) -> str:
    """A rank correlation that a small network may not have, with its p-value."""
    value, p_value = measured[f"{which}_correlation"], measured[f"{which}_p_value"]
    return "not to be had" if pd.isna(value) else f"{value:z.2f} ({p(p_value)})"


def halves(ablated: Finished) -> list[dict[Hashable, str]]:
    """What filters and layers of the two halves cost, as it is printed."""
    numbers = {"mean_drop_percent": "mean", "layer_drop_percent": "layer"}
    frame = ablated.filled("atlas_halves", ["layers"], numbers=[*numbers])
    if len(frame) != 2:
        raise ablated.damaged("atlas_halves.csv", "it does not have two rows")
    shown = frame[[*numbers]].map(columns.POINTS.show).rename(columns=numbers)
    return shown.assign(layers=frame["layers"]).to_dict("records")


def _exception(ablated: Finished, side: str) -> str:
    """The two layers that contradict most that filters of one side cost more, if any do."""
    layers = ablated.filled("atlas_by_layer", ["layer"], numbers=["mean_drop_percent"])
    means = list(zip(layers["layer"], layers["mean_drop_percent"], strict=True))
    pairs = combinations(means if side == "earlier" else means[::-1], 2)
    expected, other = min(pairs, key=lambda pair: pair[0][1] - pair[1][1])
    if expected[1] >= other[1]:
        return ""
    return (
        f", but not layer by layer: one of {expected[0]} costs {expected[1]:z.2f} points, one of "
        f"{other[0]} {other[1]:z.2f}"
    )


def top_images(identified: Finished) -> int:
    """How many top images each filter has."""
    frequency = identified.filled("class_frequency", ["filter", "max_class"])
    classes = [str(name) for name in frequency if name not in ("filter", "max_class")]
    return int(identified.table("class_frequency", numbers=classes)[classes].iloc[0].sum())


def dead_filters(identified: Finished) -> list[str]:
    """The filters that no test image makes positive anywhere."""
    responses = identified.filled("responses", ["filter", "dead"])
    if responses["dead"].dtype != bool:
        raise identified.damaged("responses.csv", "its column dead holds more than True and False")
    return [str(name) for name in responses.loc[responses["dead"], "filter"]]


def brightest(identified: Finished) -> "pd.Series[float]":
    """The filter of the first convolution that follows brightness most, and what chance gives."""
    numbers = ["correlation", "cosine"]
    filters = identified.filled("brightness", ["filter"], numbers=numbers)
    by_chance = ["chance_highest", "p_value"]
    chance = identified.filled("brightness_by_chance", numbers=by_chance)[by_chance].iloc[0]
    found: pd.Series[float] = pd.concat([filters.iloc[filters["correlation"].argmax()], chance])
    return found


def agreeing_crops(identified: Finished) -> tuple[int, int]:
    """In how many images both ways to find a patch agree, and of how many."""
    numbers = ["images", "agree_share"]
    images, shares = identified.filled("crops_by_layer", numbers=numbers)[numbers].to_numpy().T
    return round((images * shares).sum()), int(images.sum())


def larger_patches(identified: Finished) -> list[tuple[str, float, float]] | None:
    """The layers whose patches the study shows larger than their receptive fields, and both sizes.

    None if the patches are not of the study's network.
    """
    frame = identified.filled("patch_sizes", ["layer"], numbers=["patch_size"])
    block = published.study()["filter_identification"]
    exact, shown = block["exact_receptive_field"], block["patch_size"]
    sizes = zip(frame["layer"], frame["patch_size"], strict=True)
    known = {layer: size for layer, size in sizes if layer in shown}
    other_net = identified.param("analysis", "net", str) != "net4"
    if other_net or not known or any(known[layer] != exact[layer] for layer in known):
        return None
    return [(layer, size, shown[layer]) for layer, size in known.items() if size != shown[layer]]
