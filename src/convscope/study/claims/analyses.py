"""Claims 14 to 20: occlusion, filter ablation, filter identification, and reproducibility."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations, product

from convscope.study.claims.claim import Finding, rule
from convscope.study.claims.means import Means, not_falling
from convscope.study.claims.plain import unless
from convscope.study.claims.sources import NotMeasuredError, Source, columns

NET, FILTERS, ABLATED, TOP = "net4", 1280, 10, 20
GROUPS = ("animals", "vehicles")
TO_CIFAR10 = "run `dvc exp run -S data=cifar10`, with all other -S that you want"


@rule(
    14,
    "occlusion",
    "Occlusion: mean confidence in the true class falls as the window grows.",
    "occlusion/by_window.csv, of net4: mean_confidence is smaller at each window size than at the "
    "next smaller one. The study draws the maps and prints no number.",
    grids=("net4",),
)
def confidence_falls(source: Source) -> Finding:
    """Claim 14."""
    _need_net4(source, "occlusion")
    means = Means(source, "occlusion/by_window", ["window"], "mean_confidence")
    means.several("window")
    return Finding(means.named(), not_falling(means.named()))


@rule(
    15,
    "filter-ablation",
    "Zeroing 10 of the 1,280 filters costs between 1 and 10 points of accuracy.",
    "filter-ablation/confusion_before.csv and confusion_after.csv, of net4 with 1,280 filters in "
    "atlas_by_layer.csv and 10 filters in params.json: the share of the images on the diagonal "
    "falls by 1 to 10 points.",
    grids=("net4",),
)
def ablation_costs(source: Source) -> Finding:
    """Claim 15."""
    _need_net4(source, "filter-ablation")
    zeroed = source.params("filter-ablation").get("filter_ablation", {}).get("filters", {})
    ablated = sum(map(len, zeroed.values()))
    filters = int(columns(source, "filter-ablation/atlas_by_layer", ["filters"])["filters"].sum())
    if (ablated, filters) != (ABLATED, FILTERS):
        raise NotMeasuredError(
            f"{ablated} of {filters:,} filters were zeroed, the claim is about {ABLATED} of "
            f"{FILTERS:,}: set nets.net4.l1_oc to [64] and filter_ablation.filters to ten in "
            "params.yaml and run `dvc repro`"
        )
    confusion = _confusion(source, "before")
    images, before = sum(confusion.values()), _right(confusion)
    after = _right(_confusion(source, "after"))
    drop = 100 * (before - after) / images
    return Finding(
        {
            "accuracy before": before / images,
            "accuracy after": after / images,
            "drop, points": drop,
        },
        unless(1 <= drop <= 10, f"it {'costs' if drop >= 0 else 'gains'} {abs(drop):.3g} points"),
    )


@rule(
    16,
    "filter-ablation",
    "Before ablation most errors stay within animals or within vehicles; cat and dog is the "
    "largest pair.",
    "filter-ablation/between_groups.csv, of net4: before, more errors on animals are other animals "
    "than vehicles, and more errors on vehicles are other vehicles than animals; "
    "confusion_before.csv: cats taken for dogs and dogs for cats are together more images than any "
    "other two classes taken for each other.",
    grids=("net4",),
)
def errors_stay(source: Source) -> Finding:
    """Claim 16."""
    groups = _between_groups(source, "before")
    confusion = _confusion(source, "before")
    classes = sorted({true for true, _ in confusion})
    pairs = {(a, b): confusion[a, b] + confusion[b, a] for a, b in combinations(classes, 2)}
    if ("cat", "dog") not in pairs:
        raise NotMeasuredError(f"the data set has no classes cat and dog: {TO_CIFAR10}")
    cat_dog = pairs.pop(("cat", "dog"))
    runner_up = max(pairs, key=pairs.__getitem__)
    leaving = [
        f"errors on {own} are as often {other}"
        for own, other in (GROUPS, reversed(GROUPS))
        if groups[own, own] <= groups[own, other]
    ]
    larger = unless(cat_dog > pairs[runner_up], f"{' and '.join(runner_up)} is as large a pair")
    return Finding(
        {
            **{f"{true} taken for {taken}": count for (true, taken), count in groups.items()},
            "cat and dog": cat_dog,
            "next pair": pairs[runner_up],
        },
        (*leaving, *larger),
    )


@rule(
    17,
    "filter-ablation",
    "After ablation more vehicles are taken for animals.",
    "filter-ablation/between_groups.csv, of net4: vehicles predicted as animals are more after "
    "than before.",
    grids=("net4",),
)
def vehicles_for_animals(source: Source) -> Finding:
    """Claim 17."""
    before, after = (
        _between_groups(source, when)["vehicles", "animals"] for when in ("before", "after")
    )
    return Finding(
        {"before": before, "after": after},
        unless(after > before, "there are no more"),
        remark=_collapse(_confusion(source, "after")),
    )


@rule(
    18,
    "filter-identify",
    "The mean response of the top 20 images is lower in convolution 5 than in convolution 1.",
    "filter-identify/responses.csv, of net4 with 20 top images in params.json: the column mean, "
    "averaged over the filters of conv5, is smaller than over those of conv1. A response is a sum "
    "over a map's pixels; mean_per_pixel, of which conv5 has fewer, is shown and does not decide.",
    grids=("net4",),
)
def responses_fall(source: Source) -> Finding:
    """Claim 18."""
    _need_net4(source, "filter-identify")
    top = source.params("filter-identify").get("filter_identify", {}).get("top_k")
    if top != TOP:
        raise NotMeasuredError(
            f"reports/filter-identify has the top {top} images, the claim is about {TOP}: set "
            f"filter_identify.top_k to {TOP} in params.yaml and run `dvc repro`"
        )
    name = "filter-identify/responses"
    wanted = ["mean", "mean_per_pixel"]
    layers = columns(source, name, wanted, ["layer"]).groupby("layer")[wanted].mean()
    for layer in ("conv1", "conv5"):
        if layer not in layers.index:
            raise NotMeasuredError(
                f"reports/{name}.csv has no filter of {layer}: add one to "
                "filter_identify.filters in params.yaml and run `dvc repro`"
            )
    first, fifth = (layers["mean"][layer] for layer in ("conv1", "conv5"))
    first_pixel, fifth_pixel = (layers["mean_per_pixel"][layer] for layer in ("conv1", "conv5"))
    turned = fifth < first and fifth_pixel >= first_pixel
    return Finding(
        {
            "conv1, mean response": first,
            "conv5, mean response": fifth,
            "conv1, per pixel": first_pixel,
            "conv5, per pixel": fifth_pixel,
        },
        unless(fifth < first, "conv5's is no lower"),
        remark="per pixel of the map, of which conv5 has fewer, it is no lower" if turned else "",
    )


@rule(
    19,
    "filter-identify",
    "At least one of the ten filters is dead.",
    "filter-identify/responses.csv, of net4, with ten filters: dead is true for one or more, whose "
    "maps no test image makes positive anywhere.",
    grids=("net4",),
)
def filters_die(source: Source) -> Finding:
    """Claim 19."""
    _need_net4(source, "filter-identify")
    responses = columns(source, "filter-identify/responses", ["dead"], ["filter"])
    if len(responses) != ABLATED:
        raise NotMeasuredError(
            f"reports/filter-identify/responses.csv has {len(responses)} filters, the claim is "
            "about ten: change filter_identify.filters in params.yaml and run `dvc repro`"
        )
    dead = responses.loc[responses["dead"].astype(bool), "filter"].tolist()
    return Finding(
        {"dead filters": len(dead), "filters": len(responses)},
        unless(bool(dead), "none is"),
        remark=f"dead: {', '.join(dead)}" if dead else "",
    )


@rule(
    20,
    "pipeline",
    "Two runs of the pipeline give the same bytes.",
    "Two runs from scratch write the same md5 of every output into dvc.lock.",
    grids=(),
)
def same_bytes(_: Source) -> Finding:
    """Claim 20."""
    raise NotMeasuredError(
        "one run cannot show it: tests/test_pipeline.py runs the pipeline twice and compares"
    )


def _need_net4(source: Source, stage: str) -> None:
    """The study's analyses are of net4, and so are the claims."""
    net = source.params(stage).get("analysis", {}).get("net")
    if net != NET:
        raise NotMeasuredError(
            f"reports/{stage} analyzes {net}, the claim is about {NET}: set analysis.net to {NET} "
            "in params.yaml and run `dvc repro`"
        )


def _confusion(source: Source, when: str) -> dict[tuple[str, str], int]:
    """Images by (true class, predicted class), before or after the ablation."""
    name = f"filter-ablation/confusion_{when}"
    classes = [str(column) for column in source.table(name) if column != "true"]
    rows = columns(source, name, classes, ["true"]).astype({"true": str}).set_index("true")
    return {
        (true, taken): int(count)
        for taken in classes
        for true, count in zip(rows.index, rows[taken].tolist(), strict=True)
    }


def _collapse(confusion: Mapping[tuple[str, str], int]) -> str:
    """A remark where a network takes most images for one class, whatever they are."""
    taken: Counter[str] = Counter()
    for (_, predicted), count in confusion.items():
        taken[predicted] += count
    predicted, count = taken.most_common(1)[0]
    share = count / taken.total() if taken.total() else 0
    if share <= 0.5:
        return ""
    return (
        f"after it {100 * share:.3g} percent of all images are taken for {predicted}, whatever "
        "they are"
    )


def _right(confusion: Mapping[tuple[str, str], int]) -> int:
    return sum(count for (true, taken), count in confusion.items() if true == taken)


def _between_groups(source: Source, when: str) -> dict[tuple[str, str], int]:
    """Errors by (true group, predicted group), of animals and vehicles."""
    _need_net4(source, "filter-ablation")
    name, wanted = "filter-ablation/between_groups", list(product(GROUPS, GROUPS))
    counts: dict[tuple[str, str], int] = {}
    if not source.table(name).empty:
        table = columns(source, name, [when], ["true", "predicted"])
        pairs = zip(table["true"], table["predicted"], strict=True)
        counts = dict(zip(pairs, table[when].tolist(), strict=True))
    if not set(wanted) <= set(counts):
        raise NotMeasuredError(f"the data set has no animals and vehicles: {TO_CIFAR10}")
    return {pair: int(counts[pair]) for pair in wanted}
