"""Claims 9 to 13: the networks with batch norm and dropout, on augmented images."""

from convscope.study.claims.claim import OVERFIT
from convscope.study.claims.means import Means, not_falling
from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.sources import NotMeasuredError, Source, best_of

LEAST_OVERFIT = 1  # points, below which more dropout cannot be seen to lessen it


@rule(9, "net3", grids=("net2", "net3"), both_ways=True)
def net3_best(source: Source) -> Finding:
    """net3: the best run overfits at most half as much as net2's, and its test accuracy is higher.

    train/net3/best.csv and train/net2/best.csv: net3's overfit_percent is at most half of net2's,
    and net3's test_accuracy is larger. If net2's overfit_percent is 0 there is nothing to halve,
    and only the accuracies can speak against it.
    """
    before = best_of(source, "net2", "overfit_percent", "test_accuracy", "train_accuracy")
    after = best_of(source, "net3", *before)
    overfits = before["overfit_percent"] > 0
    beats = after["test_accuracy"] > before["test_accuracy"]
    if beats and not overfits:
        raise NotMeasuredError(
            "net2's best run does not overfit, so there is nothing to halve: "
            "raise nets.net2.epochs in params.yaml and run `dvc repro`"
        )
    numbers = {
        f"net2, {OVERFIT}": before["overfit_percent"],
        f"net3, {OVERFIT}": after["overfit_percent"],
        "net2, test accuracy": before["test_accuracy"],
        "net3, test accuracy": after["test_accuracy"],
    }
    against: Against = {
        "net3's best does not beat net2's": Margin(
            100 * (after["test_accuracy"] - before["test_accuracy"])
        ),
    }
    if overfits:
        spare = before["overfit_percent"] / 2 - after["overfit_percent"]
        more = "net3's best overfits more than half as much as net2's"
        against[more] = Margin(spare, ties=True)
    below = 100 * (after["test_accuracy"] - after["train_accuracy"])
    remark = (
        f"the training accuracy of net3's best run, taken while it trains, is {below:.3g} points "
        "below its test accuracy, which counts as no overfit"
    )
    return Finding(numbers, against, remark if below > 0 else "")


@rule(10, "net3", both_ways=True)
def net3_dropout(source: Source) -> Finding:
    """net3: with more dropout, mean overfit is less and mean test accuracy is lower.

    train/net3/by_dropout_rate.csv: overfit_percent and test_accuracy are both smaller at each
    dropout_rate than at the next smaller one. Where overfit at the least dropout_rate is under 1
    point, there is too little for dropout to take away.
    """
    table = "train/net3/by_dropout_rate"
    _needs_overfit(Means(source, table, "overfit_percent"))
    numbers: dict[str, float] = {}
    against: Against = {}
    for column, name, scale in (
        ("overfit_percent", OVERFIT, 1),
        ("test_accuracy", "test accuracy", 100),
    ):
        means = Means(source, table, column)
        against |= not_falling(means.named(), name, scale=scale)
        numbers |= {f"{point}, {name}": value for point, value in means.named().items()}
    return Finding(numbers, against)


@rule(11, "net3", both_ways=True)
def net3_width(source: Source) -> Finding:
    """net3: from l1_oc 32 to 96 mean test accuracy gains, but less than 5 points.

    train/net3/by_l1_oc.csv: 100 times test_accuracy is higher at l1_oc 96 than at l1_oc 32, and
    less than 5 higher. Claim 21 is free of these widths.
    """
    means = Means(source, "train/net3/by_l1_oc").named([(32,), (96,)])
    narrow, wide = means.values()
    gain = 100 * (wide - narrow)
    against = {
        "it gains nothing": Margin(gain),
        f"it gains {gain:.3g} points": Margin(5 - gain),
    }
    return Finding({**means, "gain, points": gain}, against)


@rule(12, "net4", grids=("net3", "net4"), both_ways=True)
def net4_best(source: Source) -> Finding:
    """net4: its best beats net3's best with about 35 percent fewer parameters.

    train/net4/best.csv and train/net3/best.csv: net4's test_accuracy is larger, and its
    total_parameters are 30 to 40 percent fewer.
    """
    wide = best_of(source, "net3", "test_accuracy", "total_parameters")
    deep = best_of(source, "net4", "test_accuracy", "total_parameters")
    than = wide["total_parameters"]
    fewer = 100 * (than - deep["total_parameters"]) / than
    numbers = {
        "net3, test accuracy": wide["test_accuracy"],
        "net4, test accuracy": deep["test_accuracy"],
        "net3, parameters": than,
        "net4, parameters": deep["total_parameters"],
        "net4's parameters, percent of net3's": 100 - fewer,
    }
    parameters = f"{abs(fewer):.3g} percent {'fewer' if fewer >= 0 else 'more'} parameters"
    against: Against = {
        "net4's best does not beat net3's": Margin(
            100 * (deep["test_accuracy"] - wide["test_accuracy"])
        ),
        f"it has {parameters}": not 30 <= fewer <= 40,
    }
    return Finding(numbers, against)


@rule(13, "net4", both_ways=True)
def net4_dropout(source: Source) -> Finding:
    """net4: mean test accuracy is higher with dropout 0.3 than with 0.5.

    train/net4/by_dropout_rate.csv: test_accuracy is larger at dropout_rate 0.3 than at 0.5.
    """
    means = Means(source, "train/net4/by_dropout_rate").named([(0.3,), (0.5,)])
    less, more = means.values()
    return Finding(means, {"dropout 0.5 is at least as good": Margin(100 * (less - more))})


def _needs_overfit(overfit: Means) -> None:
    least = overfit.several("dropout_rate")[0]
    if (percent := overfit.at(least)) < LEAST_OVERFIT:
        raise NotMeasuredError(
            f"at dropout_rate {least:g} net3 overfits by {percent:.2g} points on average, which "
            "leaves nothing to take away: raise nets.net3.epochs in params.yaml and run `dvc repro`"
        )
