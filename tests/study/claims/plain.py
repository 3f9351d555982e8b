"""Claims 1 to 8: files that agree with them, that do not, and that lack what they need."""

from tests.study.claims.folders import fails, holds


def settings(*accuracies):
    pairs = ["0.01,128", "0.01,256", "0.01,512", "0.001,128", "0.001,256", "0.001,512", "0.1,128"]
    rows = [f"{pair},{value}" for pair, value in zip(pairs, accuracies, strict=False)]
    return {"train/baseline/by_lr_batch_size": "\n".join(["lr,batch_size,test_accuracy", *rows])}


def widths(rows):
    header = "l1_oc,filter_multiplier,test_accuracy"
    return {"train/net1/by_l1_oc_filter_multiplier": f"{header}\n{rows}"}


def three_widths(middle):
    return widths(f"4,1.5,0.2\n8,1.5,{middle}\n16,1.5,0.4\n4,2,0.5\n8,2,0.6\n16,2,0.7")


def windows(rows):
    header = "kernel_size,stride,test_accuracy"
    return {"train/net1/by_kernel_size_stride": f"{header}\n{rows}"}


def strides(three, three_strided, five, five_strided):
    return windows(f"3,1,{three}\n3,2,{three_strided}\n5,1,{five}\n5,2,{five_strided}")


def best(row, grid="3,1,0.5\n5,1,0.5\n3,2,0.4\n5,2,0.3"):
    return {
        **widths("4,1.5,0.2\n4,2,0.3\n8,1.5,0.4\n8,2,0.5"),
        **windows(grid),
        "train/net1/best": f"l1_oc,filter_multiplier,kernel_size,stride,test_accuracy\n{row}",
    }


def axes(widest, kernels):
    return {
        "train/net2/by_l1_oc": f"l1_oc,test_accuracy\n8,0.6\n16,{widest}",
        "train/net2/by_kernel_size": f"kernel_size,test_accuracy\n{kernels}",
    }


def overfit(of_best, changes=(), last=29):
    """Mean overfit grows from 0.5 percent in epoch 1 by 2 in four epochs, but for some changes."""
    by_epoch = {epoch: epoch / 2 for epoch in range(1, last + 1, 4)} | dict(changes)
    rows = "\n".join(f"{epoch},{value}" for epoch, value in by_epoch.items())
    return {
        "train/net2/by_epoch": f"epoch,overfit_percent\n{rows}",
        "train/net2/best": f"overfit_percent\n{of_best}",
    }


def bests(net2, grid="8,0.6\n16,0.5"):
    return {
        "train/net1/best": "test_accuracy\n0.7",
        "train/net2/by_l1_oc": f"l1_oc,test_accuracy\n{grid}",
        "train/net2/best": f"l1_oc,test_accuracy\n{net2}",
    }


RUNS = (
    "l1_oc,filter_multiplier,kernel_size,stride,test_accuracy\n"
    "8,2,3,1,0.6\n8,2,3,2,0.4\n8,2,5,1,0.62\n4,2,3,1,0.5"
)
JUDGED = [
    holds(1, settings(0.5, 0.4, 0.3, 0.4, 0.2, 0.1)),
    # a seventh setting is not the claim's
    holds(1, settings(0.5, 0.4, 0.3, 0.4, 0.2, 0.1, 0.9)),
    fails(
        1,
        settings(0.5, 0.6, 0.3, 0.5, 0.2, 0.1),
        "lr 0.01, batch 256 is at least as good; lr 0.001, batch 128 is at least as good",
    ),
    holds(2, three_widths(0.3)),
    # one step that does not rise is enough
    fails(2, three_widths(0.2), "goes from 0.2 (l1_oc 4, m 1.5) to 0.2 (l1_oc 8, m 1.5)"),
    fails(2, three_widths(0.1), "goes from 0.2 (l1_oc 4, m 1.5) to 0.1 (l1_oc 8, m 1.5)"),
    fails(2, three_widths(0.4), "goes from 0.4 (l1_oc 8, m 1.5) to 0.4 (l1_oc 16, m 1.5)"),
    fails(2, three_widths(0.5), "goes from 0.5 (l1_oc 8, m 1.5) to 0.4 (l1_oc 16, m 1.5)"),
    holds(3, strides(0.5, 0.4, 0.6, 0.55)),
    fails(3, strides(0.5, 0.4, 0.6, 0.6), "with kernel 5 stride 2 is at least as good"),
    holds(4, strides(0.5, 0.4, 0.45, 0.45)),
    holds(4, strides(0.5, 0.4, 0.5, 0.45)),
    fails(4, strides(0.5, 0.4, 0.51, 0.45), "at stride 1 kernel 5 is better"),
    fails(4, strides(0.5, 0.45, 0.4, 0.45), "at stride 2 kernel 5 does not beat kernel 3"),
    holds(5, best("8,2,3,1,0.6")),
    fails(5, best("4,2,3,1,0.6"), "the best run's l1_oc is 4, not 8"),
    fails(5, best("8,1.5,3,1,0.6"), "the best run's filter_multiplier is 1.5, not 2"),
    fails(
        5,
        best("8,2,5,2,0.6"),
        "the best run's kernel_size is 5, not 3; the best run's stride is 2, not 1",
    ),
    fails(
        5,
        {**best("8,2,5,1,0.62"), "train/net1/runs": RUNS},
        "the best run's kernel_size is 5, not 3, ahead by 2 points",
    ),
    # of runs that are equally good the first is in best.csv
    holds(5, {**best("8,2,5,1,0.62"), "train/net1/runs": RUNS.replace("0.6\n", "0.62\n")}),
    holds(6, axes(0.7, "3,0.6\n5,0.5\n7,0.4")),
    fails(6, axes(0.7, "3,0.5\n5,0.6\n7,0.4"), "kernel 3 is no better than 5"),
    fails(6, axes(0.7, "3,0.5\n5,0.4\n7,0.4"), "kernel 5 is no better than 7"),
    fails(6, axes(0.6, "3,0.6\n5,0.5\n7,0.4"), "goes from 0.6 (l1_oc 8) to 0.6 (l1_oc 16)"),
    # between the epochs that the study prints it may go up and down
    holds(7, overfit(20.5, {2: 30.0, 30: 0.0})),
    # the study's own narrow nets do not overfit in the first epochs
    holds(7, overfit(20.5, {1: 0.0, 5: 0.0})),
    fails(
        7,
        overfit(20.5, {1: 2.5}),
        "mean overfit goes from 2.5 (epoch 1) to 2.5 (epoch 5)",
    ),
    fails(7, overfit(20.5, {25: 10}), "mean overfit goes from 10.5 (epoch 21) to 10 (epoch 25)"),
    fails(7, overfit(20.0), "the best run's overfit is 20 percent"),
    holds(8, bests("16,0.8")),
    fails(8, bests("8,0.8"), "the best run's l1_oc is 8, not 16"),
    holds(8, {**bests("8,0.8"), "train/net2/runs": "l1_oc,test_accuracy\n8,0.8\n16,0.8"}),
    fails(
        8,
        {**bests("8,0.8"), "train/net2/runs": "l1_oc,test_accuracy\n8,0.8\n16,0.75"},
        "the best run's l1_oc is 8, not 16, ahead by 5 points",
    ),
    fails(8, bests("16,0.7"), "net2's best does not beat net1's"),
]

UNMEASURED = [
    (
        1,
        settings(0.5, 0.4, 0.3, 0.4),
        "reports/train/baseline/by_lr_batch_size.csv has no lr 0.001, batch 256; lr 0.001, "
        "batch 512: change nets.baseline.lr and batch_size in params.yaml and run `dvc repro`",
    ),
    (1, settings(), "reports/train/baseline/by_lr_batch_size.csv has no rows"),
    (2, widths("4,1.5,0.2\n4,2,0.5"), "has only one l1_oc: change nets.net1.l1_oc"),
    (3, windows("3,1,0.5\n5,1,0.6"), "no kernel 3, stride 2; kernel 5, stride 2"),
    (4, windows("3,1,0.5\n3,2,0.4"), "has no kernel 5, stride 1; kernel 5, stride 2"),
    (5, best("8,2,3,1,0.6", "3,1,0.5\n3,2,0.4"), "has only one kernel_size"),
    (5, best("8,2,3,1,0.6", "3,1,0.5\n5,1,0.4"), "has only one stride"),
    (5, best("8,2,3,1,0.6", "5,1,0.5\n7,2,0.4"), "has no kernel 3, stride 1"),
    (6, axes(0.7, "3,0.5\n5,0.4"), "has no kernel 7: change nets.net2.kernel_size"),
    (6, axes(0.7, "3,0.5\n7,0.4"), "has no kernel 5: change nets.net2.kernel_size"),
    (7, overfit(21, last=21), "has no epoch 25, 29: change nets.net2.epochs"),
    (8, bests("16,0.8", "16,0.5"), "has only one l1_oc: change nets.net2.l1_oc"),
]

NUMBERS = [
    (
        4,
        strides(0.5, 0.4, 0.45, 0.47),
        {
            "kernel 3, stride 1": 0.5,
            "kernel 5, stride 1": 0.45,
            "kernel 3, stride 2": 0.4,
            "kernel 5, stride 2": 0.47,
            "at stride 1 kernel 3 is ahead by, points": 5.0,
            "at stride 2 kernel 5 is ahead by, points": 7.0,
        },
    ),
    (
        5,
        {**best("8,2,3,1,0.6"), "train/net1/runs": RUNS.replace("0.62", "0.57")},
        {
            "l1_oc": 8,
            "filter_multiplier": 2,
            "kernel_size": 3,
            "stride": 1,
            "test accuracy": 0.6,
            "ahead of any other setting by, points": 3.0,
        },
    ),
]
