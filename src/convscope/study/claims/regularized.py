"""Claims 9 to 13: the networks with batch norm and dropout, on augmented images."""

from collections.abc import Mapping

from convscope.study.claims.claim import Finding, rule
from convscope.study.claims.means import Means, not_falling
from convscope.study.claims.plain import OVERFIT, best_of, unless
from convscope.study.claims.sources import NotMeasuredError, Source, columns


@rule(
    9,
    "net3",
    "net3: the best run overfits at most half as much as net2's, and its test accuracy is higher.",
    "train/net3/best.csv and train/net2/best.csv: net3's overfit_percent is at most half of "
    "net2's, and net3's test_accuracy is larger. If net2's overfit_percent is 0 there is nothing "
    "to halve, and the accuracies alone can speak against it.",
    grids=("net2", "net3"),
)
def net3_best(source: Source) -> Finding:
    """Claim 9."""
    wanted = ("overfit_percent", "test_accuracy", "train_accuracy")
    plain, regularized = (best_of(source, net, *wanted) for net in ("net2", "net3"))
    before, after = plain["overfit_percent"], regularized["overfit_percent"]
    beaten = regularized["test_accuracy"] > plain["test_accuracy"]
    if before <= 0 and beaten:
        raise NotMeasuredError(
            "net2's best run does not overfit, so there is nothing to halve: "
            "raise nets.net2.epochs in params.yaml and run `dvc repro`"
        )
    return Finding(
        {
            f"net2, {OVERFIT}": before,
            f"net3, {OVERFIT}": after,
            "net2, test accuracy": plain["test_accuracy"],
            "net3, test accuracy": regularized["test_accuracy"],
        },
        (
            *unless(
                before <= 0 or after <= before / 2,
                "net3's best overfits more than half as much as net2's",
            ),
            *unless(beaten, "net3's best does not beat net2's"),
        ),
        remark=_no_overfit("net3's best run", regularized),
    )


@rule(
    10,
    "net3",
    "net3: with more dropout, mean overfit is less and mean test accuracy is lower.",
    "train/net3/by_dropout_rate.csv: overfit_percent and test_accuracy are both smaller at each "
    "dropout_rate than at the next smaller one.",
    grids=("net3",),
)
def net3_dropout(source: Source) -> Finding:
    """Claim 10."""
    against: tuple[str, ...] = ()
    numbers: dict[str, float] = {}
    table = "train/net3/by_dropout_rate"
    for measure, words in {"overfit_percent": OVERFIT, "test_accuracy": "test accuracy"}.items():
        means = Means(source, table, ["dropout_rate"], measure)
        means.several("dropout_rate")
        against += not_falling(means.named(), words)
        numbers |= {f"{name}, {words}": value for name, value in means.named().items()}
    rates = columns(source, table, ["train_accuracy", "test_accuracy"])
    below = 100 * (rates["test_accuracy"] - rates["train_accuracy"])
    remark = (
        f"at every rate the mean training accuracy is below the mean test accuracy, by "
        f"{below.min():.3g} to {below.max():.3g} points, so that hardly an epoch overfits"
        if below.min() > 0
        else ""
    )
    return Finding(numbers, against, remark)


@rule(
    11,
    "net3",
    "net3: from l1_oc 32 to 96 mean test accuracy gains less than 5 points.",
    "train/net3/by_l1_oc.csv: 100 times test_accuracy is less than 5 higher at l1_oc 96 than at "
    "l1_oc 32; a loss is less.",
    grids=("net3",),
)
def net3_width(source: Source) -> Finding:
    """Claim 11."""
    means = Means(source, "train/net3/by_l1_oc", ["l1_oc"])
    numbers = means.named([(32,), (96,)])
    gain = 100 * (means.at(96) - means.at(32))
    return Finding(
        {**numbers, "gain, points": gain},
        unless(gain < 5, f"it gains {gain:.3g} points"),
        remark="it loses" if gain < 0 else "",
    )


@rule(
    12,
    "net4",
    "net4: its best beats net3's best with about 35 percent fewer parameters.",
    "train/net4/best.csv and train/net3/best.csv: net4's test_accuracy is larger, and its "
    "total_parameters are 30 to 40 percent fewer.",
    grids=("net3", "net4"),
)
def net4_best(source: Source) -> Finding:
    """Claim 12."""
    wide = best_of(source, "net3", "test_accuracy", "total_parameters")
    deep = best_of(source, "net4", "test_accuracy", "total_parameters")
    fewer = _percent_fewer(deep["total_parameters"], wide["total_parameters"])
    return Finding(
        {
            "net3, test accuracy": wide["test_accuracy"],
            "net4, test accuracy": deep["test_accuracy"],
            "net3, parameters": wide["total_parameters"],
            "net4, parameters": deep["total_parameters"],
            "net4's parameters, percent of net3's": 100 - fewer,
        },
        (
            *unless(
                deep["test_accuracy"] > wide["test_accuracy"], "net4's best does not beat net3's"
            ),
            *unless(
                30 <= fewer <= 40,
                f"it has {abs(fewer):.3g} percent {'fewer' if fewer >= 0 else 'more'} parameters",
            ),
        ),
    )


@rule(
    13,
    "net4",
    "net4: mean test accuracy is higher with dropout 0.3 than with 0.5.",
    "train/net4/by_dropout_rate.csv: test_accuracy is larger at dropout_rate 0.3 than at 0.5.",
    grids=("net4",),
)
def net4_dropout(source: Source) -> Finding:
    """Claim 13."""
    means = Means(source, "train/net4/by_dropout_rate", ["dropout_rate"])
    numbers = means.named([(0.3,), (0.5,)])
    return Finding(
        numbers,
        unless(means.at(0.3) > means.at(0.5), "dropout 0.5 is at least as good"),
    )


def _no_overfit(whose: str, best: Mapping[str, float]) -> str:
    """A remark where training accuracy is below test accuracy, which counts as no overfit."""
    below = 100 * (best["test_accuracy"] - best["train_accuracy"])
    if below <= 0:
        return ""
    return (
        f"the training accuracy of {whose}, taken while it trains, is {below:.3g} points below its "
        "test accuracy, which counts as no overfit"
    )


def _percent_fewer(count: float, than: float) -> float:
    return 100 * (than - count) / than
