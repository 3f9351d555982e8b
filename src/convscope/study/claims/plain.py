"""Claims 1 to 8: the baseline's settings, and the networks without batch norm and dropout."""

from convscope.study.claims.claim import OVERFIT
from convscope.study.claims.means import Means, not_rising
from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.settings import best_of_grid
from convscope.study.claims.sources import Source, best_of

SETTINGS = [(lr, batch_size) for lr in (0.01, 0.001) for batch_size in (128.0, 256.0, 512.0)]
EPOCHS = tuple(range(1, 30, 4))  # of which the study prints net2's means


@rule(1, "baseline")
def best_setting(source: Source) -> Finding:
    """Of six settings, lr 0.01 with batch 128 has the highest mean test accuracy.

    train/baseline/by_lr_batch_size.csv: of lr 0.01 and 0.001 with batch_size 128, 256 and 512, the
    test_accuracy of lr 0.01 with batch_size 128 is larger than that of each of the other five.
    """
    means = Means(source, "train/baseline/by_lr_batch_size")
    numbers = means.named(SETTINGS)
    best, *others = numbers
    better = {
        f"{name} is at least as good": Margin(100 * (numbers[best] - numbers[name]))
        for name in others
    }
    return Finding(numbers, better)


@rule(2, "net1")
def net1_width(source: Source) -> Finding:
    """net1: mean test accuracy rises with l1_oc, for each filter multiplier.

    train/net1/by_l1_oc_filter_multiplier.csv: for each filter_multiplier, test_accuracy is larger
    at each l1_oc than at the next smaller one of the grid.
    """
    means = Means(source, "train/net1/by_l1_oc_filter_multiplier")
    widths = means.several("l1_oc")
    against: Against = {}
    for multiplier in means.along("filter_multiplier"):
        against |= not_rising(means.named([(width, multiplier) for width in widths]))
    return Finding(means.named(), against)


@rule(3, "net1")
def net1_stride(source: Source) -> Finding:
    """net1: mean test accuracy is lower with stride 2 than with stride 1, for each kernel size.

    train/net1/by_kernel_size_stride.csv: for each kernel_size, test_accuracy at stride 2 is smaller
    than at stride 1.
    """
    means = Means(source, "train/net1/by_kernel_size_stride")
    kernels = means.along("kernel_size")
    numbers = means.named([(kernel, stride) for kernel in kernels for stride in (1, 2)])
    better = {
        f"with kernel {kernel:g} stride 2 is at least as good": Margin(
            100 * (means.at(kernel, 1) - means.at(kernel, 2))
        )
        for kernel in kernels
    }
    return Finding(numbers, better)


@rule(4, "net1")
def net1_kernel(source: Source) -> Finding:
    """net1: at stride 2 kernel 5 beats kernel 3; at stride 1 kernel 3 is at least as good.

    train/net1/by_kernel_size_stride.csv: test_accuracy at stride 2 is larger with kernel_size 5
    than with 3, and at stride 1 it is not. By how many points is said of each stride.
    """
    means = Means(source, "train/net1/by_kernel_size_stride")
    numbers = means.named([(3, 1), (5, 1), (3, 2), (5, 2)])
    three, five, three_strided, five_strided = numbers.values()
    behind, ahead = 100 * (three - five), 100 * (five_strided - three_strided)
    numbers |= {
        "at stride 1 kernel 3 is ahead by, points": behind,
        "at stride 2 kernel 5 is ahead by, points": ahead,
    }
    against = {
        "at stride 2 kernel 5 does not beat kernel 3": Margin(ahead),
        "at stride 1 kernel 5 is better": Margin(behind, ties=True),
    }
    return Finding(numbers, against)


@rule(5, "net1")
def net1_best(source: Source) -> Finding:
    """net1: the best run is the widest, with kernel 3 and stride 1.

    train/net1/runs.csv: a run whose l1_oc and filter_multiplier are the largest of the grid, with
    kernel_size 3 and stride 1, has a highest test_accuracy that no run of another setting exceeds;
    the grid must hold other widths, kernel sizes and strides to choose from. The study prints its
    best run alone, which decides there.
    """
    widths = Means(source, "train/net1/by_l1_oc_filter_multiplier")
    windows = Means(source, "train/net1/by_kernel_size_stride")
    for means, axis in ((widths, "l1_oc"), (windows, "kernel_size"), (windows, "stride")):
        means.several(axis)
    windows.at(3, 1)
    expected = {axis: widths.along(axis)[-1] for axis in widths.axes}
    expected |= {"kernel_size": 3, "stride": 1}
    return Finding(*best_of_grid(source, "net1", expected))


@rule(6, "net2")
def net2_axes(source: Source) -> Finding:
    """net2: mean test accuracy rises with l1_oc, kernel 3 beats 5, and kernel 7 is the worst.

    train/net2/by_l1_oc.csv: test_accuracy is larger at each l1_oc than at the next smaller one;
    train/net2/by_kernel_size.csv: it is larger with kernel_size 3 than with 5, and smaller with 7
    than with each other one.
    """
    widths = Means(source, "train/net2/by_l1_oc")
    kernels = Means(source, "train/net2/by_kernel_size")
    widths.several("l1_oc")
    three, five, worst = kernels.named([(3,), (5,), (7,)]).values()
    no_better: Against = {
        f"kernel {kernel:g} is no better than 7": Margin(100 * (kernels.at(kernel) - worst))
        for kernel in kernels.several("kernel_size")
        if kernel != 7
    }
    no_better["kernel 3 is no better than 5"] = Margin(100 * (three - five))
    against = not_rising(widths.named()) | no_better
    return Finding(widths.named() | kernels.named(), against)


@rule(7, "net2")
def net2_overfit(source: Source) -> Finding:
    """net2: overfit grows from epoch 1 to 29, and the best run's is above 20 percent.

    train/net2/by_epoch.csv: of epochs 1, 5, 9, 13, 17, 21, 25 and 29, which the study prints,
    overfit_percent is larger at each than at the one before, or 0 in both; train/net2/best.csv: it
    is above 20.
    """
    means = Means(source, "train/net2/by_epoch", "overfit_percent")
    epochs = means.named([(epoch,) for epoch in EPOCHS])
    overfit = best_of(source, "net2", "overfit_percent")["overfit_percent"]
    numbers = {f"{name}, {OVERFIT}": value for name, value in epochs.items()}
    numbers[f"best run, {OVERFIT}"] = overfit
    against = not_rising(epochs, "mean overfit", scale=1, ties_at=0)
    against[f"the best run's overfit is {overfit:.4g} percent"] = Margin(overfit - 20)
    return Finding(numbers, against)


@rule(8, "net2", grids=("net1", "net2"))
def net2_best(source: Source) -> Finding:
    """net2: the best run is of the widest nets, and beats net1's best.

    train/net2/runs.csv: a run whose l1_oc is the largest of train/net2/by_l1_oc.csv, which must
    hold two or more, has a highest test_accuracy that no narrower run exceeds (the study prints its
    best run alone, which decides there); train/net2/best.csv: test_accuracy is larger than in
    train/net1/best.csv.
    """
    widest = Means(source, "train/net2/by_l1_oc").several("l1_oc")[-1]
    numbers, narrower = best_of_grid(source, "net2", {"l1_oc": widest})
    earlier = best_of(source, "net1", "test_accuracy")["test_accuracy"]
    ahead = 100 * (numbers["test accuracy"] - earlier)
    numbers = {"net1, test accuracy": earlier} | {f"net2, {k}": v for k, v in numbers.items()}
    return Finding(numbers, narrower | {"net2's best does not beat net1's": Margin(ahead)})
