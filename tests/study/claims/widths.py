"""Claims 22 to 28 and 46: files that agree with them, that do not, and that lack what they need."""

from tests.study.claims.folders import fails, holds


def kernels(three, five, strides="3,1,0\n3,2,0\n5,1,0\n5,2,0"):
    return {
        "train/net1/by_kernel_size": f"kernel_size,test_accuracy\n3,{three}\n5,{five}",
        "train/net1/by_kernel_size_stride": f"kernel_size,stride,test_accuracy\n{strides}",
    }


def multipliers(*rows):
    header = "l1_oc,filter_multiplier,train_accuracy,test_accuracy,loss"
    return {"train/net1/by_l1_oc_filter_multiplier": "\n".join([header, *rows])}


def strided(train, test):
    """How far ahead kernel 5 is at stride 2."""
    return {
        "train/net1/by_kernel_size_stride": (
            "kernel_size,stride,train_accuracy,test_accuracy\n"
            f"3,2,0.25,0.25\n5,2,{0.25 + train},{0.25 + test}"
        )
    }


def epochs(accuracies=(), losses=(), last=29):
    """Training accuracy rises by 0.02, and loss falls by 0.25, in four epochs, but for changes."""
    shown = range(1, last + 1, 4)
    rising = {epoch: epoch / 200 for epoch in shown} | dict(accuracies)
    falling = {epoch: (40 - epoch) / 16 for epoch in shown} | dict(losses)
    rows = [f"{epoch},{rising[epoch]},{falling[epoch]}" for epoch in shown]
    return {"train/net2/by_epoch": "\n".join(["epoch,train_accuracy,loss", *rows])}


def best(accuracy):
    return {"train/net2/best": f"train_accuracy\n{accuracy}"}


def widths(rows):
    return {"train/net2/by_l1_oc": f"l1_oc,train_accuracy,loss\n{rows}"}


def overfit(rows):
    return {"train/net2/by_l1_oc": f"l1_oc,test_accuracy,overfit_percent\n{rows}"}


JUDGED = [
    holds(22, kernels(0.4, 0.41)),
    fails(22, kernels(0.4, 0.4), "kernel 3 is at least as good"),
    holds(23, multipliers("6,1.5,0.5,0.4,1", "6,2,0.519,0.381,1")),
    fails(
        23,
        multipliers("6,1.5,0.5,0.4,1", "6,2,0.5,0.425,1", "8,1.5,0.5,0.5,1", "8,2,0.5,0.5,1"),
        "l1_oc 6, test accuracy: they are 2.5 points apart",
    ),
    fails(
        23,
        multipliers("6,1.5,0.53,0.4,1", "6,2,0.5,0.4,1"),
        "l1_oc 6, training accuracy: they are 3 points apart",
    ),
    holds(24, multipliers("6,1.5,0.5,0,2", "8,1.5,0.6,0,1", "6,2,0.7,0,2", "8,2,0.8,0,1.5")),
    fails(
        24,
        multipliers("6,1.5,0.5,0,2", "8,1.5,0.5,0,1", "6,2,0.7,0,2", "8,2,0.8,0,2.5"),
        "training accuracy goes from 0.5 (l1_oc 6, m 1.5) to 0.5 (l1_oc 8, m 1.5); "
        "loss goes from 2 (l1_oc 6, m 2) to 2.5 (l1_oc 8, m 2)",
    ),
    holds(25, strided(0.125, 0.0625)),
    fails(25, strided(0.25, 0.125), "training accuracy: it is 25 points ahead"),
    fails(25, strided(0.125, 0.03125), "test accuracy: it is 3.12 points ahead"),
    holds(26, epochs()),
    fails(26, epochs({9: 0.01}), "training accuracy goes from 0.025 (epoch 5) to 0.01 (epoch 9)"),
    fails(26, epochs(losses={9: 3}), "loss goes from 2.188 (epoch 5) to 3 (epoch 9)"),
    holds(27, best(0.9901)),
    fails(27, best(0.99), "it is 0.99"),
    holds(28, widths("6,0.5,2\n8,0.6,1")),
    fails(
        28, widths("6,0.5,2\n8,0.4,1"), "training accuracy goes from 0.5 (l1_oc 6) to 0.4 (l1_oc 8)"
    ),
    fails(28, widths("6,0.5,1\n8,0.6,1"), "loss goes from 1 (l1_oc 6) to 1 (l1_oc 8)"),
    holds(46, overfit("6,0.5,17\n24,0.625,19")),
    fails(
        46,
        overfit("6,0.5,17\n24,0.5625,25"),
        "overfit grows by 4 points, test accuracy by 3.12",
    ),
]

UNMEASURED = [
    (22, kernels(0.4, 0.41, "3,1,0\n5,1,0"), "has no kernel 3, stride 2"),
    (23, multipliers("6,2,0.5,0.4,1"), "has no l1_oc 6, m 1.5"),
    (24, multipliers("6,2,0.5,0.4,1"), "has only one l1_oc"),
    (26, epochs(last=25), "has no epoch 29: change nets.net2.epochs"),
    (28, widths("6,0.5,2"), "has only one l1_oc"),
    (46, overfit("6,0.5,17"), "has only one l1_oc"),
]

NUMBERS = [
    (
        46,
        overfit("6,0.5,17\n24,0.625,19"),
        {"overfit, points a doubling": 1.0, "test accuracy, points a doubling": 6.25},
    ),
    (27, best(0.995), {"best run, training accuracy": 0.995}),
    (
        28,
        widths("6,0.5,2\n8,0.6,1"),
        {
            "l1_oc 6, training accuracy": 0.5,
            "l1_oc 8, training accuracy": 0.6,
            "l1_oc 6, loss": 2,
            "l1_oc 8, loss": 1,
        },
    ),
]
