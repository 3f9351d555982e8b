"""What the claims about the analyses share: the network that they are of, and its confusions."""

from collections.abc import Mapping
from itertools import combinations, product

import pandas as pd

from convscope.study import published
from convscope.study.claims.sources import NotMeasuredError, Source, Study, columns

NET = "net4"
GROUPS = ("animals", "vehicles")
TO_CIFAR10 = "run `dvc exp run -S data=cifar10`, with all other -S that you want"
MOST = 10  # points that ablation may cost (claim 15): a network that loses more no longer works


def need_net4(source: Source, stage: str) -> None:
    """The study's analyses are of net4, and so are the claims."""
    net = source.params(stage).get("analysis", {}).get("net")
    if net != NET:
        raise NotMeasuredError(
            f"reports/{stage} analyzes {net}, the claim is about {NET}: set analysis.net to {NET} "
            "in params.yaml and run `dvc repro`"
        )


def confusion(source: Source, when: str) -> pd.DataFrame:
    """Images of net4 before or after the ablation: rows true, columns predicted classes."""
    need_net4(source, "filter-ablation")
    name = f"filter-ablation/confusion_{when}"
    classes = [str(column) for column in source.table(name) if column != "true"]
    images = columns(source, name, classes, ["true"]).set_index("true")
    return images.reindex(classes)


def accuracy_drop(source: Source) -> float:
    """What the ablation costs over all images, in points."""
    before, after = (confusion(source, when).to_numpy() for when in ("before", "after"))
    return float(100 * (before.trace() - after.trace()) / before.sum())


def class_drops(source: Source) -> "pd.Series[float]":
    """What the ablation costs each class, in points."""
    before, after = (class_accuracy(confusion(source, when)) for when in ("before", "after"))
    return 100 * (before - after)


def class_accuracy(images: pd.DataFrame) -> "pd.Series[float]":
    """The share of each class's images that are right."""
    return pd.Series(images.to_numpy().diagonal(), images.index) / images.sum(axis=1)


def random_sets(source: Source, *wanted: str) -> pd.DataFrame | None:
    """What sets of filters cost that chance drew; None of the study, which ablated one set.

    Their drop_points, and other columns that are wanted.
    """
    if isinstance(source, Study):
        return None
    need_net4(source, "filter-ablation")
    return columns(source, "filter-ablation/random_sets", ["drop_points", *wanted])


def working_sets(source: Source, *wanted: str) -> pd.DataFrame | None:
    """The same, of a network that still works after most of these ablations.

    What errors a network makes says nothing once it guesses.
    """
    sets = random_sets(source, *wanted)
    drop = accuracy_drop(source) if sets is None else float(sets["drop_points"].median())
    if drop > MOST:
        raise NotMeasuredError(
            f"after the ablation {NET} no longer works: its accuracy falls by {drop:.3g} points, "
            f"the claim is about one that loses {MOST} at most: widen nets.{NET}.l1_oc in "
            "params.yaml and run `dvc repro`"
        )
    return sets


def spread(values: "pd.Series[float]", of: str) -> dict[str, float]:
    """The median and range over the random sets, named by what they are of."""
    found = {"median": values.median(), "least": values.min(), "most": values.max()}
    return {f"random sets, {name} {of}": float(value) for name, value in found.items()}


def between_groups(source: Source, when: str) -> dict[tuple[str, str], int]:
    """Errors by (true group, predicted group), of animals and vehicles."""
    need_net4(source, "filter-ablation")
    name, pairs = "filter-ablation/between_groups", list(product(GROUPS, GROUPS))
    counts: dict[tuple[str, str], int] = {}
    if not source.table(name).empty:
        rows = columns(source, name, [when], ["true", "predicted"]).itertuples(index=False)
        counts = {(true, predicted): int(count) for true, predicted, count in rows}
    if not counts.keys() >= set(pairs):
        raise NotMeasuredError(f"the data set has no animals and vehicles: {TO_CIFAR10}")
    return {pair: counts[pair] for pair in pairs}


def mixed_up(images: pd.DataFrame) -> dict[tuple[str, str], int]:
    """By pair of classes, in the order of the alphabet, the images of either taken for the other.

    Raises:
        NotMeasuredError: The data set has no classes cat and dog.
    """
    both = images + images.T
    if not {"cat", "dog"} <= {*images.index}:
        raise NotMeasuredError(f"the data set has no classes cat and dog: {TO_CIFAR10}")
    return {(a, b): int(both[a][b]) for a, b in combinations(sorted(map(str, both)), 2)}


def group_of(classes: "pd.Index[str]") -> dict[str, str]:
    """The group of each of CIFAR-10's classes, where all of them are there.

    Raises:
        NotMeasuredError: One is not.
    """
    groups: Mapping[str, list[str]] = published.study()["groups"]
    if not {name for members in groups.values() for name in members} <= {*classes}:
        raise NotMeasuredError(f"the data set has no animals and vehicles: {TO_CIFAR10}")
    return {name: group for group, members in groups.items() for name in members}
