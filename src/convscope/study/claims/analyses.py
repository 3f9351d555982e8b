"""Claims 14 to 20: occlusion, filter ablation, filter identification, and reproducibility."""

from itertools import combinations, product

import pandas as pd

from convscope.study.claims.claim import Finding, rule
from convscope.study.claims.means import Means, not_falling
from convscope.study.claims.sources import NotMeasuredError, Source, columns

NET, FILTERS, ABLATED, TOP = "net4", 1280, 10, 20
GROUPS = ("animals", "vehicles")
TO_CIFAR10 = "run `dvc exp run -S data=cifar10`, with all other -S that you want"


@rule(14, "occlusion", grids=(NET,))
def confidence_falls(source: Source) -> Finding:
    """Occlusion: mean confidence in the true class falls as the window grows.

    occlusion/by_window.csv, of net4: mean_confidence is smaller at each window size than at the
    next smaller one. The study draws the maps and prints no number.
    """
    _need_net4(source, "occlusion")
    means = Means(source, "occlusion/by_window", "mean_confidence", ("window",))
    means.several("window")
    return Finding(means.named(), not_falling(means.named()))


@rule(15, "filter-ablation", grids=(NET,))
def ablation_costs(source: Source) -> Finding:
    """Zeroing 10 of the 1,280 filters costs between 1 and 10 points of accuracy.

    filter-ablation/confusion_before.csv and confusion_after.csv, of net4 with 1,280 filters in
    atlas_by_layer.csv and 10 filters in params.json: the share of the images on the diagonal falls
    by 1 to 10 points.
    """
    _need_net4(source, "filter-ablation")
    ablated = len(source.zeroed_filters())
    filters = int(columns(source, "filter-ablation/atlas_by_layer", ["filters"])["filters"].sum())
    if (ablated, filters) != (ABLATED, FILTERS):
        raise NotMeasuredError(
            f"{ablated} of {filters:,} filters were zeroed, the claim is about {ABLATED} of "
            f"{FILTERS:,}: set nets.net4.l1_oc to [64] and filter_ablation.filters to ten in "
            "params.yaml and run `dvc repro`"
        )
    confusions = [_confusion(source, when).to_numpy() for when in ("before", "after")]
    images, (before, after) = int(confusions[0].sum()), (int(c.trace()) for c in confusions)
    drop = 100 * (before - after) / images
    numbers = {
        "accuracy before": before / images,
        "accuracy after": after / images,
        "drop, points": drop,
    }
    cost = f"it {'costs' if drop >= 0 else 'gains'} {abs(drop):.3g} points"
    return Finding(numbers, {cost: not 1 <= drop <= 10})


@rule(16, "filter-ablation", grids=(NET,))
def errors_stay(source: Source) -> Finding:
    """Before ablation most errors stay within animals or vehicles; cat and dog is the largest pair.

    filter-ablation/between_groups.csv, of net4: before, more errors on animals are other animals
    than vehicles, and more errors on vehicles are other vehicles than animals;
    confusion_before.csv: cats taken for dogs and dogs for cats are together more images than any
    other two classes taken for each other.
    """
    groups = _between_groups(source, "before")
    confusion = _confusion(source, "before")
    both = confusion + confusion.T
    pairs = {(a, b): int(both[a][b]) for a, b in combinations(sorted(map(str, both)), 2)}
    if ("cat", "dog") not in pairs:
        raise NotMeasuredError(f"the data set has no classes cat and dog: {TO_CIFAR10}")
    cat_dog = pairs.pop(("cat", "dog"))
    runner_up = max(pairs, key=pairs.__getitem__)
    numbers = {f"{true} taken for {taken}": count for (true, taken), count in groups.items()}
    numbers |= {"cat and dog": cat_dog, "next pair": pairs[runner_up]}
    against = {
        f"errors on {own} are as often {other}": groups[own, own] <= groups[own, other]
        for own, other in (GROUPS, reversed(GROUPS))
    }
    against[f"{' and '.join(runner_up)} is as large a pair"] = cat_dog <= pairs[runner_up]
    return Finding(numbers, against)


@rule(17, "filter-ablation", grids=(NET,))
def vehicles_for_animals(source: Source) -> Finding:
    """After ablation more vehicles are taken for animals.

    filter-ablation/between_groups.csv, of net4: vehicles predicted as animals are more after than
    before.
    """
    numbers = {
        when: _between_groups(source, when)["vehicles", "animals"] for when in ("before", "after")
    }
    no_more = {"there are no more": numbers["after"] <= numbers["before"]}
    return Finding(numbers, no_more, remark=_collapse(_confusion(source, "after")))


@rule(18, "filter-identify", grids=(NET,))
def responses_fall(source: Source) -> Finding:
    """The mean response of the top 20 images is lower in convolution 5 than in convolution 1.

    filter-identify/responses.csv, of net4 with 20 top images in params.json: the column mean,
    averaged over the filters of conv5, is smaller than over those of conv1. A response is a sum
    over a map's pixels; mean_per_pixel, of which conv5 has fewer, is shown and does not decide.
    """
    _need_net4(source, "filter-identify")
    top = source.params("filter-identify").get("filter_identify", {}).get("top_k")
    if top != TOP:
        raise NotMeasuredError(
            f"reports/filter-identify has the top {top} images, the claim is about {TOP}: set "
            f"filter_identify.top_k to {TOP} in params.yaml and run `dvc repro`"
        )
    table = "filter-identify/responses"
    wanted = ["mean", "mean_per_pixel"]
    layers = columns(source, table, wanted, ["layer"]).groupby("layer")[wanted].mean()
    for layer in ("conv1", "conv5"):
        if layer not in layers.index:
            raise NotMeasuredError(
                f"reports/{table}.csv has no filter of {layer}: add one to "
                "filter_identify.filters in params.yaml and run `dvc repro`"
            )
    numbers = {
        f"{layer}, {name}": layers[column][layer]
        for column, name in {"mean": "mean response", "mean_per_pixel": "per pixel"}.items()
        for layer in ("conv1", "conv5")
    }
    first, fifth, first_pixel, fifth_pixel = numbers.values()
    turned = fifth < first and fifth_pixel >= first_pixel
    return Finding(
        numbers,
        {"conv5's is no lower": fifth >= first},
        remark="per pixel of the map, of which conv5 has fewer, it is no lower" if turned else "",
    )


@rule(19, "filter-identify", grids=(NET,))
def filters_die(source: Source) -> Finding:
    """At least one of the ten filters is dead.

    filter-identify/responses.csv, of net4, with ten filters: dead is true for one or more, whose
    maps no test image makes positive anywhere.
    """
    _need_net4(source, "filter-identify")
    responses = columns(source, "filter-identify/responses", ["dead"], ["filter"])
    if len(responses) != ABLATED:
        raise NotMeasuredError(
            f"reports/filter-identify/responses.csv has {len(responses)} filters, the claim is "
            "about ten: change filter_identify.filters in params.yaml and run `dvc repro`"
        )
    dead = responses.loc[responses["dead"].astype(bool), "filter"].tolist()
    numbers = {"dead filters": len(dead), "filters": len(responses)}
    remark = f"dead: {', '.join(dead)}" if dead else ""
    return Finding(numbers, {"none is": not dead}, remark)


@rule(20, "pipeline", grids=())
def same_bytes(_: Source) -> Finding:
    """Two runs of the pipeline give the same bytes.

    Two runs from scratch write the same md5 of every output into dvc.lock.
    """
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


def _confusion(source: Source, when: str) -> pd.DataFrame:
    """Images before or after the ablation: rows true, columns predicted classes."""
    name = f"filter-ablation/confusion_{when}"
    classes = [str(column) for column in source.table(name) if column != "true"]
    images = columns(source, name, classes, ["true"]).set_index("true")
    return images.rename(index=str).reindex(classes)


def _collapse(confusion: pd.DataFrame) -> str:
    """A remark where a network takes most images for one class, whatever they are."""
    taken = confusion.sum()
    share = 100 * taken.max() / (taken.sum() or 1)
    remark = f"are taken for {taken.idxmax()}, whatever they are"
    return f"after it {share:.3g} percent of all images {remark}" if share > 50 else ""


def _between_groups(source: Source, when: str) -> dict[tuple[str, str], int]:
    """Errors by (true group, predicted group), of animals and vehicles."""
    _need_net4(source, "filter-ablation")
    name, pairs = "filter-ablation/between_groups", list(product(GROUPS, GROUPS))
    counts: dict[tuple[str, str], int] = {}
    if not source.table(name).empty:
        rows = columns(source, name, [when], ["true", "predicted"]).itertuples(index=False)
        counts = {(true, predicted): int(count) for true, predicted, count in rows}
    if not counts.keys() >= set(pairs):
        raise NotMeasuredError(f"the data set has no animals and vehicles: {TO_CIFAR10}")
    return {pair: counts[pair] for pair in pairs}
