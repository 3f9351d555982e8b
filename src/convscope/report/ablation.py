"""What the report says of ablated filters: what they cost, and whether earlier layers matter more."""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from convscope.base.report_folder import Finished
from convscope.report import columns
from convscope.report.text import count, counted, percent
from convscope.study import published

SIGNIFICANT = 0.05
_FIRST = 256  # the test images of which the study says how many got wrong
_TESTED = ("first_costs_more", "halves_p_value", "correlation", "p_value")
_CORRELATIONS = ("but_last", "layer")


def newly_wrong(folder: Finished) -> str:
    """How many images went from right to wrong, and among the first, as the study counts them."""
    lost = folder.table("newly_misclassified", numbers=["image"])
    if lost.empty:
        return "No test image went from right to wrong."
    first = int((lost["image"] < _FIRST).sum())
    theirs = published.study()["filter_ablation"][
        f"newly_misclassified_in_first_{_FIRST}_test_images"
    ]
    return (
        f"{counted(len(lost), 'test image')} went from right to wrong, {first} of them among the "
        f"first {_FIRST}, where the study counts {theirs}."
    )


def atlas_images(folder: Finished) -> int:
    """How many images the atlas is of."""
    return int(folder.filled("atlas_depth", numbers=["images"])["images"][0])


def significant(folder: Finished) -> str:
    """How many drops are more than chance, which a reader of the atlas should know."""
    numbers = ["images", "filters", "significant"]
    images, filters, found = folder.filled("atlas_depth", numbers=numbers).loc[0, numbers]
    return (
        f"One image is {100 / images:.2f} points here. A filter at zero loses some images and "
        f"gains others: {count(found)} of the {counted(filters, 'filter')} change the accuracy by "
        "more than chance explains (McNemar's test of the images lost and gained, at a false "
        "discovery rate of 5% by Benjamini and Hochberg's adjustment)."
    )


def verdict(folder: Finished) -> str:
    """Whether earlier layers matter more than later ones, in words.

    Two measures are asked: pairs of filters of the two halves, and the ranks of all filters.
    """
    names = [*_TESTED]
    names += [f"{which}_{of}" for which in _CORRELATIONS for of in ("correlation", "p_value")]
    depth = folder.filled("atlas_depth", gaps=names).loc[0, names]
    if depth[list(_TESTED)].isna().any():
        return "There is no difference between layers: every filter costs the same."
    share, pairs_p, correlation, ranks_p = (depth[name] for name in _TESTED)
    earlier = [
        bool(more)
        for more, p_value in ((share > 0.5, pairs_p), (correlation < 0, ranks_p))
        if p_value < SIGNIFICANT
    ]
    but_last, of_layers = (_correlation(depth, which) for which in _CORRELATIONS)
    return (
        f"{_answer(earlier, folder)} A filter of the first half of the convolutions costs more "
        f"than one of the second in {percent(share)} of pairs ({_p(pairs_p)}, Mann and Whitney's "
        "test); Spearman's rank correlation of a filter's layer and its drop is "
        f"{correlation:z.2f} ({_p(ranks_p)}), without the last convolution {but_last}. These tests "
        "take filters for independent, and a wide layer for more than a narrow one; of the "
        f"layers' mean drops the correlation is {of_layers}."
    )


def by_half(folder: Finished) -> str:
    """What filters and layers of the two halves cost."""
    numbers = ["mean_drop_percent", "layer_drop_percent"]
    frame = folder.filled("atlas_halves", ["layers"], numbers=numbers)
    if len(frame) != 2:
        raise folder.damaged("atlas_halves.csv", "it does not have two rows")
    first, second = frame[["layers", *numbers]].itertuples(index=False, name=None)
    return (
        f"On average, a filter of {first[0]} costs {first[1]:z.2f} points and one of {second[0]} "
        f"{second[1]:z.2f}; the drops of a layer's filters, added up, are {first[2]:z.2f} points "
        f"for a mean layer of the first half and {second[2]:z.2f} for one of the second."
    )


def extremes(folder: Finished, which: str) -> pd.DataFrame:
    """The filters that cost ``"most"`` or ``"least"`` alone."""
    frame = folder.table("atlas_extremes", ["extreme"])
    return frame[frame["extreme"] == which].drop(columns="extreme")


def _correlation(depth: "pd.Series[float]", which: str) -> str:
    """A rank correlation that a small network may not have, with its p-value."""
    value, p_value = (depth[f"{which}_{of}"] for of in ("correlation", "p_value"))
    return "not to be had" if pd.isna(value) else f"{value:z.2f} ({_p(p_value)})"


def _answer(earlier: Sequence[bool], folder: Finished) -> str:
    """The answer of those measures that find a significant difference, and an exception to it."""
    if not earlier:
        return "There is no significant difference between earlier and later layers."
    if len(set(earlier)) == 2:
        return "Whether earlier layers matter more depends on the measure."
    side = "earlier" if earlier[0] else "later"
    measures = ", by one of two measures" if len(earlier) == 1 else ""
    return f"Filters of {side} layers cost more on average{measures}{_exception(folder, side)}."


def _exception(folder: Finished, side: str) -> str:
    """The two layers that contradict most that filters of one side cost more, if any do."""
    layers = folder.filled("atlas_by_layer", ["layer"], numbers=["mean_drop_percent"])
    means = list(zip(layers["layer"], layers["mean_drop_percent"], strict=True))
    pairs = combinations(means if side == "earlier" else means[::-1], 2)
    expected, other = min(pairs, key=lambda pair: pair[0][1] - pair[1][1])
    if expected[1] >= other[1]:
        return ""
    return (
        f", but not layer by layer: one of {expected[0]} costs {expected[1]:z.2f} points, one of "
        f"{other[0]} {other[1]:z.2f}"
    )


def _p(p_value: float) -> str:
    shown = columns.P_VALUE.show(p_value)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"
