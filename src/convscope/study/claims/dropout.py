"""Claims 21, 29 to 32 and 45: what else the study says of net3 and net4."""

from convscope.base.names import AUGMENTED, STUDY
from convscope.study.claims.claim import OVERFIT
from convscope.study.claims.means import Means, a_doubling
from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.settings import best_of_grid
from convscope.study.claims.sources import NotMeasuredError, Source, Study, best_of

NET, RATES = "net4", (0.3, 0.5)
LEAST, MOST = 0.1, 0.5  # dropout rates
# by how many points accuracy falls from the one to the other: "nearly 10 %" and "nearly 7 %", of
# which a half to one and a half will do
COSTS = {
    "train_accuracy": ("training accuracy", 5, 15),
    "test_accuracy": ("test accuracy", 3.5, 10.5),
}


@rule(21, "net3", grids=("net2", "net3"), both_ways=True)
def net3_doubling(source: Source) -> Finding:
    """net3: a doubling of l1_oc gains mean test accuracy, but fewer points than of net2.

    train/net3/by_l1_oc.csv and train/net2/by_l1_oc.csv: of the straight line through test_accuracy
    over the logarithm of l1_oc, by least squares, the slope in points a doubling is above 0 for
    net3, and smaller than for net2.
    """
    gains = {net: a_doubling(Means(source, f"train/{net}/by_l1_oc")) for net in ("net2", "net3")}
    against = {
        "net3 gains nothing": Margin(gains["net3"]),
        "net3 gains no less than net2": Margin(gains["net2"] - gains["net3"]),
    }
    return Finding({f"{net}, points a doubling": gain for net, gain in gains.items()}, against)


@rule(29, "net3", both_ways=True)
def net3_best_setting(source: Source) -> Finding:
    """net3: the best run is the widest, with the least dropout.

    train/net3/runs.csv: a run whose l1_oc is the largest and whose dropout_rate is the smallest of
    the grid, which must hold others of both, has a highest test_accuracy that no run of another
    setting exceeds. The study prints its best run alone, which decides there.
    """
    widths = Means(source, "train/net3/by_l1_oc").several("l1_oc")
    rates = Means(source, "train/net3/by_dropout_rate").several("dropout_rate")
    expected = {"l1_oc": widths[-1], "dropout_rate": rates[0]}
    return Finding(*best_of_grid(source, "net3", expected))


@rule(30, NET, both_ways=True)
def net4_dropout_best(source: Source) -> Finding:
    """net4: with dropout 0.5 no epoch reaches the best test accuracy of dropout 0.3.

    train/net4/runs.csv: the highest test_accuracy of the runs with dropout_rate 0.5 is smaller than
    that of the runs with 0.3. Of 0.5 the study says only that it was never above 0.88.
    """
    highest = source.highest(NET)
    if absent := [rate for rate in RATES if rate not in highest]:
        raise NotMeasuredError(
            f"reports/train/{NET}/runs.csv has no dropout {absent[0]:g}: change "
            f"nets.{NET}.dropout_rate in params.yaml and run `dvc repro`"
        )
    less, more = (highest[rate] for rate in RATES)
    numbers = {f"dropout {rate:g}, highest test accuracy": highest[rate] for rate in RATES}
    if isinstance(source, Study):
        numbers["dropout 0.5, test accuracy never above"] = numbers.popitem()[1]
    return Finding(numbers, {"dropout 0.5 reaches it": Margin(100 * (less - more))})


@rule(31, NET, grids=("net3", NET), both_ways=True)
def net4_overfit(source: Source) -> Finding:
    """net4: its best overfits more than net3's best.

    train/net4/best.csv and train/net3/best.csv: net4's overfit_percent is larger. It is not
    measured where neither overfits.
    """
    wide, deep = (
        best_of(source, net, "overfit_percent")["overfit_percent"] for net in ("net3", NET)
    )
    if wide == deep == 0:
        raise NotMeasuredError(
            "neither net3's best run nor net4's overfits: raise nets.net3.epochs and "
            "nets.net4.epochs in params.yaml and run `dvc repro`"
        )
    numbers = {f"net3, {OVERFIT}": wide, f"net4, {OVERFIT}": deep}
    return Finding(numbers, {"it does not": Margin(deep - wide)})


@rule(32, "evaluate", grids=(NET,))
def net4_evaluation_mode(source: Source) -> Finding:
    """net4: its best has a higher test accuracy in evaluation mode than in training mode.

    evaluate/protocols.csv: of net4, on augmented test images, accuracy is larger in evaluation mode
    than in training mode.
    """
    found = source.protocols(NET)
    if not {STUDY, AUGMENTED} <= found.keys():
        raise NotMeasuredError(
            f"reports/evaluate/protocols.csv does not have both modes of {NET} on augmented "
            f"images: set nets.{NET}.augment in params.yaml and run `dvc repro`"
        )
    training, evaluation = found[STUDY], found[AUGMENTED]
    numbers = {"training mode": training, "evaluation mode": evaluation}
    return Finding(numbers, {"it does not": Margin(100 * (evaluation - training))})


@rule(45, "net3", both_ways=True)
def net3_dropout_costs(source: Source) -> Finding:
    """net3: from dropout 0.1 to 0.5 accuracy falls by about 10 points in training and 7 in tests.

    train/net3/by_dropout_rate.csv: train_accuracy is 5 to 15 points, and test_accuracy 3.5 to 10.5
    points, lower at dropout_rate 0.5 than at 0.1; the study says nearly 10 and nearly 7.
    """
    numbers: dict[str, float] = {}
    against: Against = {}
    for column, (name, least, most) in COSTS.items():
        means = Means(source, "train/net3/by_dropout_rate", column).named([(LEAST,), (MOST,)])
        less, more = means.values()
        cost = 100 * (less - more)
        numbers[f"{name}: falls by, points"] = cost
        falls = f"{name}: it falls by {cost:.3g} points"
        against[falls] = Margin(min(cost - least, most - cost), ties=True)
    return Finding(numbers, against)
