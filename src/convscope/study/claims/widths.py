"""Claims 22 to 28 and 46: what else the study says of net1's and net2's tables."""

from convscope.study.claims.means import Means, a_doubling, not_falling, not_rising, opposed
from convscope.study.claims.plain import EPOCHS
from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.sources import Source, best_of

ACCURACIES = {"train_accuracy": "training accuracy", "test_accuracy": "test accuracy"}
NET1_WIDTHS = "train/net1/by_l1_oc_filter_multiplier"
ALIKE = 2  # points: the study's two multipliers are "quite similar"
LEADS = (5, 15)  # points: "almost 10 %"


@rule(22, "net1")
def net1_kernel_means(source: Source) -> Finding:
    """net1: over both strides kernel 5 has a higher mean test accuracy than kernel 3.

    train/net1/by_kernel_size.csv: test_accuracy is larger with kernel_size 5 than with 3; the grid
    must hold both strides.
    """
    Means(source, "train/net1/by_kernel_size_stride").named([(3, 1), (3, 2), (5, 1), (5, 2)])
    numbers = Means(source, "train/net1/by_kernel_size").named([(3,), (5,)])
    three, five = numbers.values()
    return Finding(numbers, {"kernel 3 is at least as good": Margin(100 * (five - three))})


@rule(23, "net1")
def net1_multipliers(source: Source) -> Finding:
    """net1: filter multipliers 1.5 and 2 give mean accuracies within 2 points of each other.

    train/net1/by_l1_oc_filter_multiplier.csv: at each l1_oc train_accuracy and test_accuracy of the
    two filter_multipliers differ by less than 2 points.
    """
    numbers: dict[str, float] = {}
    against: Against = {}
    for column, name in ACCURACIES.items():
        means = Means(source, NET1_WIDTHS, column)
        for width in means.along("l1_oc"):
            less, more = means.named([(width, 1.5), (width, 2)]).values()
            apart, where = 100 * abs(more - less), f"l1_oc {width:g}, {name}"
            numbers[f"{where}: apart by, points"] = apart
            against[f"{where}: they are {apart:.3g} points apart"] = Margin(ALIKE - apart)
    return Finding(numbers, against)


@rule(24, "net1")
def net1_training(source: Source) -> Finding:
    """net1: with l1_oc mean training accuracy rises and mean loss falls, for each multiplier.

    train/net1/by_l1_oc_filter_multiplier.csv: for each filter_multiplier, train_accuracy is larger,
    and loss smaller, at each l1_oc than at the next smaller one.
    """
    accuracies, losses = (Means(source, NET1_WIDTHS, c) for c in ("train_accuracy", "loss"))
    widths = accuracies.several("l1_oc")
    against: Against = {}
    for multiplier in accuracies.along("filter_multiplier"):
        points = [(width, multiplier) for width in widths]
        against |= not_rising(accuracies.named(points), "training accuracy")
        against |= opposed(not_falling(losses.named(points), "loss"))
    return Finding(_both(accuracies, losses), against)


@rule(25, "net1")
def net1_strided_lead(source: Source) -> Finding:
    """net1: at stride 2 kernel 5 is ahead by 5 to 15 points, in training and in test accuracy.

    train/net1/by_kernel_size_stride.csv: at stride 2 train_accuracy and test_accuracy are 5 to 15
    points higher with kernel_size 5 than with 3; the study says almost 10.
    """
    numbers: dict[str, float] = {}
    against: Against = {}
    for column, name in ACCURACIES.items():
        means = Means(source, "train/net1/by_kernel_size_stride", column)
        three, five = means.named([(3, 2), (5, 2)]).values()
        lead, (least, most) = 100 * (five - three), LEADS
        numbers[f"{name}: ahead by, points"] = lead
        inside = min(lead - least, most - lead)
        against[f"{name}: it is {lead:.3g} points ahead"] = Margin(inside, ties=True)
    return Finding(numbers, against)


@rule(26, "net2")
def net2_training(source: Source) -> Finding:
    """net2: from epoch 1 to 29 mean training accuracy rises and mean loss falls.

    train/net2/by_epoch.csv: of epochs 1, 5, 9, 13, 17, 21, 25 and 29, which the study prints,
    train_accuracy is larger, and loss smaller, at each than at the one before.
    """
    points = [(epoch,) for epoch in EPOCHS]
    table = "train/net2/by_epoch"
    accuracies, losses = (Means(source, table, c).named(points) for c in ("train_accuracy", "loss"))
    against = not_rising(accuracies, "training accuracy") | opposed(not_falling(losses, "loss"))
    numbers = {f"{point}, training accuracy": value for point, value in accuracies.items()}
    numbers |= {f"{point}, loss": value for point, value in losses.items()}
    return Finding(numbers, against)


@rule(27, "net2")
def net2_memorizes(source: Source) -> Finding:
    """net2: the best run's training accuracy is above 0.99.

    train/net2/best.csv: train_accuracy is above 0.99 in the best run's best epoch.
    """
    accuracy = best_of(source, "net2", "train_accuracy")["train_accuracy"]
    little = {f"it is {accuracy:.4g}": Margin(100 * (accuracy - 0.99))}
    return Finding({"best run, training accuracy": accuracy}, little)


@rule(28, "net2")
def net2_widths(source: Source) -> Finding:
    """net2: with l1_oc mean training accuracy rises and mean loss falls.

    train/net2/by_l1_oc.csv: train_accuracy is larger, and loss smaller, at each l1_oc than at the
    next smaller one.
    """
    accuracies, losses = (
        Means(source, "train/net2/by_l1_oc", c) for c in ("train_accuracy", "loss")
    )
    accuracies.several("l1_oc")
    against = not_rising(accuracies.named(), "training accuracy")
    return Finding(
        _both(accuracies, losses), against | opposed(not_falling(losses.named(), "loss"))
    )


@rule(46, "net2")
def net2_overfit_slightly(source: Source) -> Finding:
    """net2: a doubling of l1_oc adds less to mean overfit than to mean test accuracy.

    train/net2/by_l1_oc.csv: of the straight lines through overfit_percent and through test_accuracy
    over the logarithm of l1_oc, by least squares, the slope in points a doubling is smaller for
    overfit. The study says that overfit is only slightly more.
    """
    table = "train/net2/by_l1_oc"
    gain = a_doubling(Means(source, table))
    more = a_doubling(Means(source, table, "overfit_percent")) / 100  # it is in points
    numbers = {"overfit, points a doubling": more, "test accuracy, points a doubling": gain}
    as_much = f"overfit grows by {more:.3g} points, test accuracy by {gain:.3g}"
    return Finding(numbers, {as_much: Margin(gain - more)})


def _both(accuracies: Means, losses: Means) -> dict[str, float]:
    named = {"training accuracy": accuracies.named(), "loss": losses.named()}
    return {f"{at}, {name}": value for name, of in named.items() for at, value in of.items()}
