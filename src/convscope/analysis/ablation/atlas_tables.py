"""The ablation atlas as tables: by filter, by layer and by depth, and its extremes."""

from collections.abc import Sequence

import pandas as pd

from convscope.analysis.ablation.atlas import Atlas
from convscope.base import metrics

FALSE_DISCOVERIES = 0.05
SERVED = 3
DROP = "drop_percent"
_ALL_IMAGES = ["layer", "filter", DROP, "lost", "gained", "adjusted_p_value"]


def by_filter(charted: Atlas, classes: Sequence[str]) -> pd.DataFrame:
    """Every filter ablated alone.

    Returns:
        A row a filter: layer, filter, drop_percent (points of accuracy lost over all images), lost
        and gained (the images that only the intact, or only the ablated network gets right),
        adjusted_p_value in [0, 1] (McNemar's exact test of these, adjusted for the number of
        filters: those below 0.05 are significant at a false discovery rate of 5 %; Benjamini and
        Hochberg, "Controlling the false discovery rate", 1995), then a column of points lost for
        each class.
    """
    from scipy.stats import false_discovery_control  # half a second to import, and few need it

    tables = []
    for layer in charted.ablated:
        table = pd.DataFrame(
            {
                "layer": layer,
                "filter": range(len(charted.lost[layer])),
                DROP: (100 * charted.drop(layer)).tolist(),
                "lost": charted.lost[layer].tolist(),
                "gained": charted.gained(layer).tolist(),
            }
        )
        points = (100 * charted.class_drop(layer)).tolist()
        tables.append(table.join(pd.DataFrame(points, columns=list(classes))))
    found = pd.concat(tables, ignore_index=True)
    p_values = list(map(metrics.mcnemar_p_value, found["lost"].tolist(), found["gained"].tolist()))
    found.insert(5, "adjusted_p_value", false_discovery_control(p_values))
    return found


def significant(filters: pd.DataFrame) -> pd.Series:
    """Which filters of ``by_filter`` change the accuracy by more than chance explains, bool."""
    return filters["adjusted_p_value"] < FALSE_DISCOVERIES


def by_layer(filters: pd.DataFrame) -> pd.DataFrame:
    """The table of ``by_filter`` by layer.

    Returns:
        A row a layer: how many filters, their mean, median and summed drop in points, the largest
        drop, and the filter it is. A layer's sum is that of single ablations: zeroing the complete
        layer would cost something else.
    """
    return pd.DataFrame(
        {
            "layer": layer,
            "filters": len(group),
            "mean_drop_percent": group[DROP].mean(),
            "median_drop_percent": group[DROP].median(),
            "sum_drop_percent": group[DROP].sum(),
            "max_drop_percent": group[DROP].max(),
            "max_filter": group["filter"].iloc[int(group[DROP].argmax())],
        }
        for layer, group in filters.groupby("layer", sort=False)
    )


def extremes(filters: pd.DataFrame, classes: Sequence[str], count: int) -> pd.DataFrame:
    """The filters that cost most and those that cost least, and the classes that they serve.

    A filter serves the classes that lose most without it: those whose drop is at least half of the
    largest drop of a class, ``SERVED`` at most; none if no class loses anything. At each end there
    are ``count`` filters of ``by_filter``, or half of all if that is fewer.

    Returns:
        A row a filter, first the most and then the least: extreme (``"most"`` or ``"least"``),
        rank from 1, layer, filter, drop_percent (negative: accuracy is gained), lost, gained and
        adjusted_p_value as in ``by_filter``, and serves, such as ``"cat: 12.0, dog: 8.1"`` with the
        points lost. Equal drops are in the network's order.
    """
    taken = min(count, len(filters) // 2)
    tables = []
    for extreme, ascending in (("most", False), ("least", True)):
        found = filters.sort_values(DROP, ascending=ascending, kind="stable").head(taken)
        ranks = pd.DataFrame({"extreme": extreme, "rank": range(1, taken + 1)}, found.index)
        served = [_served(lost) for _, lost in found[list(classes)].iterrows()]
        tables.append(ranks.join(found[_ALL_IMAGES]).assign(serves=served))
    return pd.concat(tables, ignore_index=True)


def _served(lost: pd.Series) -> str:
    """The classes that lose most, as text; ``lost`` holds points by class."""
    falling = lost[lost > 0].sort_values(ascending=False, kind="stable")
    most = falling[falling >= falling.max() / 2].head(SERVED)
    return ", ".join(f"{name}: {points:.1f}" for name, points in most.items())


def depth(filters: pd.DataFrame, images: int) -> pd.DataFrame:
    """Whether earlier layers matter more than later ones, which the study leaves open (part 2.2.2).

    The filters are the table of ``by_filter``, of so many images.

    Returns:
        One row: images, filters, significant (how many filters ``significant`` finds);
        first_costs_more, the share of pairs of a filter of the first half of the convolutions and
        one of the second in which the first costs more, equal ones counted half, with
        halves_p_value (Mann and Whitney's test); correlation (Spearman's, of a filter's layer
        position and its drop; negative if earlier filters cost more), with p_value;
        but_last_correlation and but_last_p_value (the same without the last convolution, the
        widest, whose filters feed no other convolution); and layer_correlation with layer_p_value
        (of the layers' mean drops, so that wide layers count as much as narrow ones). Tests take
        filters for independent. What constants or less than three filters or layers cannot tell is
        missing.
    """
    positions = pd.Series(pd.factorize(filters["layer"])[0])
    but_last = positions < positions.max()
    layers = filters.groupby("layer", sort=False)[DROP].mean().reset_index(drop=True)
    tests = {
        ("first_costs_more", "halves_p_value"): _pairs(*_split(filters)),
        ("correlation", "p_value"): _spearman(positions, filters[DROP]),
        ("but_last_correlation", "but_last_p_value"): _spearman(
            positions[but_last], filters.loc[but_last.to_numpy(), DROP]
        ),
        ("layer_correlation", "layer_p_value"): _spearman(pd.Series(layers.index), layers),
    }
    found: dict[str, float] = {
        "images": images,
        "filters": len(filters),
        "significant": int(significant(filters).sum()),
    }
    for names, values in tests.items():
        found |= zip(names, values, strict=True)
    return pd.DataFrame([found])


def _split(filters: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The filters of the first and of the second half of the convolutions, without the middle."""
    layers = filters["layer"].unique()
    size = len(layers) // 2
    first, second = layers[:size], layers[len(layers) - size :]
    return filters[filters["layer"].isin(first)], filters[filters["layer"].isin(second)]


def _pairs(first: pd.DataFrame, second: pd.DataFrame) -> tuple[float, float]:
    """In what share of pairs the first costs more, and the p-value; NaN if all cost the same."""
    from scipy.stats import mannwhitneyu  # half a second to import, and few need it

    if pd.concat([first, second])[DROP].nunique() < 2:
        return float("nan"), float("nan")
    found = mannwhitneyu(first[DROP], second[DROP])
    return float(found.statistic) / (len(first) * len(second)), float(found.pvalue)


def _spearman(first: pd.Series, second: pd.Series) -> tuple[float, float]:
    """Spearman's rank correlation and its p-value; NaN of constants and of fewer than three."""
    from scipy.stats import spearmanr  # half a second to import, and few need it

    if len(first) < 3 or first.nunique() == 1 or second.nunique() == 1:
        return float("nan"), float("nan")
    found = spearmanr(first, second)
    return float(found.statistic), float(found.pvalue)


def halves(filters: pd.DataFrame) -> pd.DataFrame:
    """The table of ``by_filter`` by half of the convolutions, of which there are two or more.

    Of an odd number of convolutions, the one in the middle is in neither half.

    Returns:
        Two rows: half (``"first"``, ``"second"``), layers, such as ``"conv1, conv2"``, filters,
        mean_drop_percent of a filter, and layer_drop_percent, the mean over its layers of the sum
        of a layer's drops.
    """
    parts = _split(filters)
    sums = [part.groupby("layer", sort=False)[DROP].sum() for part in parts]
    return pd.DataFrame(
        {
            "half": ["first", "second"],
            "layers": [", ".join(of_layers.index) for of_layers in sums],
            "filters": [len(part) for part in parts],
            "mean_drop_percent": [part[DROP].mean() for part in parts],
            "layer_drop_percent": [of_layers.mean() for of_layers in sums],
        }
    )


def headlines(found: pd.DataFrame) -> dict[str, float]:
    """What MLflow compares of ``depth``: its correlation, where there is one."""
    correlation = float(found["correlation"].iloc[0])
    return {"atlas_depth_correlation": correlation} if correlation == correlation else {}
