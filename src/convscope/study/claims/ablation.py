"""Claims 15 to 17 and 33 to 37: net4's errors, and what ten filters at zero change."""

import pandas as pd

from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.sources import NotMeasuredError, Source, columns
from convscope.study.claims.subject import (
    GROUPS,
    MOST,
    NET,
    accuracy_drop,
    between_groups,
    class_accuracy,
    class_drops,
    confusion,
    group_of,
    mixed_up,
    need_net4,
    random_sets,
    spread,
    working_sets,
)

STAGE, WHEN = "filter-ablation", ("before", "after")
FILTERS, ABLATED = 1280, 10
# of the nine other classes five are animals, for an animal, and three vehicles, for a vehicle
CHANCE = {"animals": 5 / 9, "vehicles": 3 / 9}
CERTAIN = 0.05
DROPS = ("vehicles_drop_points", "animals_drop_points")


@rule(15, STAGE, grids=(NET,))
def ablation_costs(source: Source) -> Finding:
    """Zeroing 10 of the 1,280 filters costs between 1 and 10 points of accuracy.

    filter-ablation/random_sets.csv, of net4 with 1,280 filters in atlas_by_layer.csv and 10 filters
    in params.json: of 50 sets of as many filters of the same layers, which chance drew, the median
    drop_points is from 1 to 10. What the selected ten cost, by confusion_before.csv and
    confusion_after.csv, is shown, and decides for the study, which zeroed one set.
    """
    need_net4(source, STAGE)
    ablated = len(source.zeroed_filters())
    filters = int(columns(source, f"{STAGE}/atlas_by_layer", ["filters"])["filters"].sum())
    if (ablated, filters) != (ABLATED, FILTERS):
        raise NotMeasuredError(
            f"{ablated} of {filters:,} filters were zeroed, the claim is about {ABLATED} of "
            f"{FILTERS:,}: set nets.net4.l1_oc to [64] and filter_ablation.filters to ten in "
            "params.yaml and run `dvc repro`"
        )
    before, after = (confusion(source, when).to_numpy() for when in WHEN)
    drop = accuracy_drop(source)
    numbers = {
        "accuracy before": int(before.trace()) / int(before.sum()),
        "accuracy after": int(after.trace()) / int(before.sum()),
        "drop, points": drop,
    }
    if (sets := random_sets(source)) is not None:
        numbers |= spread(sets["drop_points"], "drop in points")
        drop = float(sets["drop_points"].median())
    cost = f"it {'costs' if drop >= 0 else 'gains'} {abs(drop):.3g} points"
    return Finding(numbers, {cost: Margin(min(drop - 1, MOST - drop), ties=True)})


@rule(16, STAGE, grids=(NET,))
def errors_stay(source: Source) -> Finding:
    """Before ablation most errors stay within animals or vehicles; cat and dog is the largest pair.

    filter-ablation/between_groups.csv, of net4: before, more errors on animals are other animals
    than vehicles, and more errors on vehicles are other vehicles than animals; and each share is
    above what chance gives, as five of the nine other classes are animals for an animal and three
    vehicles for a vehicle (a one-sided binomial test, p below 0.05). confusion_before.csv: cats
    taken for dogs and dogs for cats are together more images than any other two classes taken for
    each other.
    """
    groups = between_groups(source, "before")
    pairs = mixed_up(confusion(source, "before"))
    cat_dog = pairs.pop(("cat", "dog"))
    runner_up = max(pairs, key=pairs.__getitem__)
    numbers: dict[str, float] = {
        f"{true} taken for {taken}": count for (true, taken), count in groups.items()
    }
    against: Against = {}
    for own, other in (GROUPS, reversed(GROUPS)):
        within, without = groups[own, own], groups[own, other]
        p_value = _above_chance(within, within + without, CHANCE[own])
        numbers[f"errors on {own} within, share"] = within / (within + without or 1)
        numbers[f"errors on {own} within, p by chance"] = p_value
        against[f"errors on {own} are as often {other}"] = Margin(within - without)
        against[f"errors on {own} stay as often by chance (p = {p_value:.2g})"] = p_value >= CERTAIN
    numbers |= {"cat and dog": cat_dog, "next pair": pairs[runner_up]}
    as_large = f"{' and '.join(runner_up)} is as large a pair"
    against[as_large] = Margin(cat_dog - pairs[runner_up])
    return Finding(numbers, against, unit="images")


@rule(17, STAGE, grids=(NET,))
def vehicles_for_animals(source: Source) -> Finding:
    """After ablation more vehicles are taken for animals.

    filter-ablation/between_groups.csv and random_sets.csv, of net4: vehicles predicted as animals
    are more after than before, by the median vehicles_as_animals of 50 sets of as many filters of
    the same layers that chance drew. What the selected filters do is shown, and decides for the
    study, which zeroed one set. It is not measured where the median drop_points is above what claim
    15 allows, 10: a network that takes most images for one class errs anyhow.
    """
    counts = {when: between_groups(source, when)["vehicles", "animals"] for when in WHEN}
    typical, sets = _typical(source, "vehicles_as_animals", counts["after"])
    no_more = {"there are no more": Margin(typical - counts["before"])}
    remark = _collapse(confusion(source, "after"))
    return Finding(counts | sets, no_more, remark, "images")


@rule(33, STAGE, grids=(NET,))
def plane_and_bird(source: Source) -> Finding:
    """Before ablation plane and bird is the largest pair between animals and vehicles.

    filter-ablation/confusion_before.csv, of net4: planes taken for birds and birds for planes are
    together more images than any other animal and vehicle taken for each other.
    """
    images = confusion(source, "before")
    group = group_of(images.index)
    pairs = {
        pair: count
        for pair, count in mixed_up(images).items()
        if len({group.get(name, name) for name in pair}) == len(pair)
    }
    largest = pairs.pop(("bird", "plane"))
    runner_up = max(pairs, key=pairs.__getitem__)
    numbers = {"plane and bird": largest, "next pair": pairs[runner_up]}
    as_large = f"{' and '.join(runner_up)} is as large a pair"
    return Finding(numbers, {as_large: Margin(largest - pairs[runner_up])}, unit="images")


@rule(34, STAGE, grids=(NET,))
def cat_is_lowest(source: Source) -> Finding:
    """Before ablation cat is the class with the lowest accuracy.

    filter-ablation/confusion_before.csv, of net4: the share of its images on the diagonal is
    smaller for cat than for every other class.
    """
    images = confusion(source, "before")
    group_of(images.index)
    accuracies = class_accuracy(images)
    cat, others = float(accuracies["cat"]), accuracies.drop("cat")
    next_lowest = float(others.min())
    lower = {f"{others.idxmin()} is as low": Margin(100 * (next_lowest - cat))}
    return Finding({"cat": cat, "next lowest class": next_lowest}, lower)


@rule(35, STAGE, grids=(NET,))
def animals_for_vehicles(source: Source) -> Finding:
    """After ablation fewer animals are taken for vehicles.

    As claim 17, of animals predicted as vehicles, animals_as_vehicles: they are fewer after than
    before.
    """
    counts = {when: between_groups(source, when)["animals", "vehicles"] for when in WHEN}
    typical, sets = _typical(source, "animals_as_vehicles", counts["after"])
    no_fewer = {"there are no fewer": Margin(counts["before"] - typical)}
    return Finding(counts | sets, no_fewer, unit="images")


@rule(36, STAGE, grids=(NET,))
def cat_and_dog_more(source: Source) -> Finding:
    """After ablation cat and dog are taken for each other more often.

    As claim 17, of cats taken for dogs and dogs for cats, which are together more images after, by
    confusion_before.csv, confusion_after.csv and cat_dog_mixed_up in random_sets.csv.
    """
    counts = {when: mixed_up(confusion(source, when))["cat", "dog"] for when in WHEN}
    typical, sets = _typical(source, "cat_dog_mixed_up", counts["after"])
    no_more = {"they are not": Margin(typical - counts["before"])}
    return Finding(counts | sets, no_more, unit="images")


@rule(37, STAGE, grids=(NET,))
def vehicles_lose(source: Source) -> Finding:
    """Ablation costs the classes of vehicles more accuracy than those of animals.

    As claim 17, of the mean drop in accuracy of the four vehicles, which is larger than that of the
    six animals, by confusion_before.csv, confusion_after.csv, and vehicles_drop_points less
    animals_drop_points in random_sets.csv.
    """
    drops = class_drops(source)
    by_group = drops.groupby(drops.index.map(group_of(drops.index))).mean()
    numbers = {f"{group}, drop in points": float(by_group[group]) for group in GROUPS}
    more = numbers["vehicles, drop in points"] - numbers["animals, drop in points"]
    if (sets := working_sets(source, *DROPS)) is not None:
        apart = sets[DROPS[0]] - sets[DROPS[1]]
        numbers |= spread(apart, "points more of vehicles")
        more = float(apart.median())
    return Finding(numbers, {"it does not": Margin(more)})


def _typical(source: Source, column: str, after: float) -> tuple[float, dict[str, float]]:
    """A column's median over the random sets, and its spread; of the study what it found after."""
    if (sets := working_sets(source, column)) is None:
        return after, {}
    return float(sets[column].median()), spread(sets[column], "after")


def _above_chance(within: int, errors: int, chance: float) -> float:
    """How likely chance alone keeps so many of the errors within, or more."""
    # scipy.stats, which names it binomtest, takes a second to import; this a quarter of one, which
    # `convscope --help` spares
    from scipy.special import bdtrc

    return float(bdtrc(within - 1, errors, chance))


def _collapse(images: pd.DataFrame) -> str:
    """A remark where a network takes most images for one class, whatever they are."""
    taken = images.sum()
    share = 100 * taken.max() / (taken.sum() or 1)
    remark = f"are taken for {taken.idxmax()}, whatever they are"
    return f"after it {share:.3g} percent of all images {remark}" if share > 50 else ""
