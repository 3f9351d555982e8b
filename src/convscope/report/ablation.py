"""The report's section on filter ablation (study, part 2.2.2)."""

from collections.abc import Sequence
from itertools import combinations

from convscope.report import columns
from convscope.report.columns import COUNT, POINTS
from convscope.report.document import Files, Heading, Part, Section, Table, Text
from convscope.report.reading import Folder, Sheet
from convscope.report.wording import counted, filter_names
from convscope.study import published

SIGNIFICANT = 0.05
_FIRST = 256  # the test images of which the study tells how many got wrong
_MATRICES = {
    "before": "Confusion matrix before",
    "after": "Confusion matrix after",
    "difference": "Confusion matrices, before minus after",
}


def section(folder: Folder) -> Section:
    """What is lost when filters are zeroed, together and each alone."""
    chosen = filter_names(folder.params.get("filter_ablation", {}).get("filters", {}))
    net = folder.params.get("analysis", {}).get("net", "the network")
    return Section(
        "filter-ablation",
        "Filter ablation",
        (
            Text(
                f"The weights of {counted(len(chosen), 'filter')} of {net} are set to zero "
                f"together: {', '.join(chosen)}. Their biases stay."
            ),
            *_by_class(folder),
            Heading("Confusion matrices"),
            folder.figure("confusion", "Confusion matrices before, after, and before minus after"),
            *(_matrix(folder, name) for name in _MATRICES),
            *_between_groups(folder),
            Heading("Newly misclassified images"),
            *_newly_misclassified(folder),
            Heading("Atlas: every filter alone"),
            *_atlas(folder),
        ),
    )


def _by_class(folder: Folder) -> list[Part]:
    sheet = folder.filled("class_accuracy")
    return [
        # the stage writes the accuracy over all classes last
        sheet.table("Accuracy by class, before and after", marked={len(sheet.rows) - 1: "total"}),
        folder.figure("class_accuracy", "Accuracy by class, before and after"),
    ]


def _matrix(folder: Folder, name: str) -> Table:
    sheet = folder.sheet(f"confusion_{name}")
    return sheet.table(_MATRICES[name], open_columns=(slice(1, None), COUNT), folded=True)


def _between_groups(folder: Folder) -> list[Part]:
    """The errors within and between groups of classes, where the data has groups."""
    sheet = folder.sheet("between_groups")
    if not sheet.rows:
        return []
    return [sheet.table("Errors within and between groups of classes")]


def _newly_misclassified(folder: Folder) -> list[Part]:
    lost = folder.sheet("newly_misclassified")
    if not lost.rows:
        return [Text("No test image went from right to wrong.")]
    first = sum(image < _FIRST for image in lost.numbers("image"))
    theirs = published.study()["filter_ablation"][
        f"newly_misclassified_in_first_{_FIRST}_test_images"
    ]
    return [
        Text(
            f"{counted(len(lost.rows), 'test image')} went from right to wrong, {first} of them "
            f"among the first {_FIRST}, where the study counts {theirs}."
        ),
        folder.figure("newly_misclassified", "Images right before and wrong after"),
        Files((("All of them", lost.source),)),
    ]


def _atlas(folder: Folder) -> list[Part]:
    sheet, depth = folder.filled("atlas"), folder.filled("atlas_depth")
    wanted = folder.params.get("filter_ablation", {}).get("atlas_images")
    images = int(depth.numbers("images")[0])
    return [
        Text(
            f"Each of the {counted(len(sheet.rows), 'filter')} is zeroed alone, and the accuracy "
            f"over the first {columns.taken(images, wanted)} is compared with that of the intact "
            "network."
        ),
        Text(_significant(depth)),
        folder.figure("atlas", "Accuracy lost with each filter alone, by layer"),
        folder.filled("atlas_by_layer").table("Accuracy lost with a single filter, by layer"),
        Heading("Do earlier layers matter more?"),
        Text(f"{verdict(depth, folder.filled('atlas_by_layer'))} {_by_half(folder)}"),
        folder.filled("atlas_halves").table(
            "Accuracy lost with a single filter, in each half of the convolutions",
            notes=[
                "Drops of single filters added up are not what zeroing them all together costs; of "
                "an odd number of convolutions, the one in the middle is in neither half."
            ],
        ),
        Heading("The filters that matter most and least"),
        _extreme(folder, "most", "The filters that cost most alone"),
        _extreme(folder, "least", "The filters that cost least alone"),
        Files((("Every filter, with the points that each class loses", sheet.source),)),
    ]


def _significant(depth: Sheet) -> str:
    """How many drops are more than chance, which a reader of the atlas should know."""
    images, filters, significant = (
        depth.numbers(name)[0] for name in ("images", "filters", "significant")
    )
    return (
        f"One image is {100 / images:.2f} points here. A filter at zero loses some images and "
        f"gains others: {columns.count(significant)} of the {counted(int(filters), 'filter')} "
        "change the accuracy by more than chance explains (McNemar's test of the images lost and "
        "gained, at a false discovery rate of 5% by Benjamini and Hochberg's adjustment)."
    )


def verdict(depth: Sheet, layers: Sheet) -> str:
    """Whether earlier layers matter more than later ones, in words.

    Two measures are asked: pairs of filters of the two halves, and the ranks of all filters.

    Args:
        depth: atlas_depth.csv.
        layers: atlas_by_layer.csv.
    """
    measured = [
        depth.column(name)[0]
        for name in ("first_costs_more", "halves_p_value", "correlation", "p_value")
    ]
    if "" in measured:
        return "There is no difference between layers: every filter costs the same."
    share, pairs_p, correlation, ranks_p = map(float, measured)
    earlier = [
        more
        for more, p_value in ((share > 0.5, pairs_p), (correlation < 0, ranks_p))
        if p_value < SIGNIFICANT
    ]
    return (
        f"{_answer(earlier, layers)} A filter of the first half of the convolutions costs more "
        f"than one of the second in {columns.percent(share)} of pairs ({_p(str(pairs_p))}, Mann "
        "and Whitney's test); Spearman's rank correlation of a filter's layer and its drop is "
        f"{correlation:z.2f} ({_p(str(ranks_p))}), without the last convolution "
        f"{_correlation(depth, 'but_last')}. These tests take filters for independent, and a "
        "wide layer for more than a narrow one; of the layers' mean drops the correlation is "
        f"{_correlation(depth, 'layer')}."
    )


def _correlation(depth: Sheet, which: str) -> str:
    """A rank correlation that a small network may not have, with its p-value."""
    value, p_value = (depth.column(f"{which}_{of}")[0] for of in ("correlation", "p_value"))
    return f"{POINTS.show(value)} ({_p(p_value)})" if value else "not to be had"


def _answer(earlier: Sequence[bool], layers: Sheet) -> str:
    """The answer of those measures that find a significant difference, and an exception to it."""
    if not earlier:
        return "There is no significant difference between earlier and later layers."
    if len(set(earlier)) == 2:
        return "Whether earlier layers matter more depends on the measure."
    side = "earlier" if earlier[0] else "later"
    measures = ", by one of two measures" if len(earlier) == 1 else ""
    return f"Filters of {side} layers cost more on average{measures}{_exception(layers, side)}."


def _exception(layers: Sheet, side: str) -> str:
    """The two layers that contradict most that filters of one side cost more, if any do."""
    means = list(zip(layers.column("layer"), layers.numbers("mean_drop_percent"), strict=True))
    pairs = combinations(means if side == "earlier" else means[::-1], 2)
    expected, other = min(pairs, key=lambda pair: pair[0][1] - pair[1][1])
    if expected[1] >= other[1]:
        return ""
    return (
        f", but not layer by layer: one of {expected[0]} costs {expected[1]:z.2f} points, one of "
        f"{other[0]} {other[1]:z.2f}"
    )


def _p(p_value: str) -> str:
    shown = columns.P_VALUE.show(p_value)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _by_half(folder: Folder) -> str:
    """What filters and layers of the two halves cost."""
    sheet = folder.filled("atlas_halves")
    layers, means = sheet.column("layers"), sheet.numbers("mean_drop_percent")
    sums = sheet.numbers("layer_drop_percent")
    return (
        f"On average, a filter of {layers[0]} costs {means[0]:z.2f} points and one of {layers[1]} "
        f"{means[1]:z.2f}; the drops of a layer's filters, added up, are {sums[0]:z.2f} points for "
        f"a mean layer of the first half and {sums[1]:z.2f} for one of the second."
    )


def _extreme(folder: Folder, extreme: str, caption: str) -> Table:
    sheet = folder.sheet("atlas_extremes")
    return sheet.only(name for name in sheet.header if name != "extreme").table(
        caption,
        rows=[row for row, value in enumerate(sheet.column("extreme")) if value == extreme],
        notes=[
            "Points of accuracy lost over all images; below 0, accuracy is gained. Images lost are "
            "those that only the intact network gets right, images gained those that only the "
            "other does. The classes that lose most are those that lose at least half of what the "
            "worst loses, three at most; of a class there are fewer images, so that one of them is "
            "more points."
        ],
    )
