"""Claims 21, 29 to 32 and 45: files that agree with them, do not, and lack what they need."""

from tests.study.claims.folders import fails, holds


def widths(net2, net3):
    return {
        f"train/{net}/by_l1_oc": f"l1_oc,test_accuracy\n{rows}"
        for net, rows in (("net2", net2), ("net3", net3))
    }


def best(row, rates="0.1,0.8\n0.5,0.7", grid="8,0.5\n16,0.6", runs=""):
    columns = "l1_oc,dropout_rate,test_accuracy"
    every = {"train/net3/runs": f"{columns}\n{runs}"} if runs else {}
    return {
        **every,
        "train/net3/by_l1_oc": f"l1_oc,test_accuracy\n{grid}",
        "train/net3/by_dropout_rate": f"dropout_rate,test_accuracy\n{rates}",
        "train/net3/best": f"{columns}\n{row}",
    }


def runs(*rows):
    return {"train/net4/runs": "\n".join(["dropout_rate,test_accuracy", *rows])}


def overfit(net3, net4):
    return {
        f"train/{net}/best": f"overfit_percent\n{value}"
        for net, value in (("net3", net3), ("net4", net4))
    }


def protocols(training, evaluation, net="net4"):
    return {
        "evaluate/protocols": (
            'net,protocol,accuracy\nnet3,"augmented images, training mode",0.1\n'
            f'{net},"augmented images, training mode",{training}\n'
            f'{net},"augmented images, evaluation mode",{evaluation}'
        )
    }


def costs(*rows):
    lines = ["dropout_rate,train_accuracy,test_accuracy", *rows]
    return {"train/net3/by_dropout_rate": "\n".join(lines)}


# net2 gains 4 points a doubling
NET2 = "4,0.5\n8,0.54\n16,0.58"
JUDGED = [
    # whatever the widths: three doublings that gain 1 point each
    holds(21, widths(NET2, "6,0.7\n48,0.73")),
    fails(21, widths(NET2, "6,0.7\n12,0.7"), "net3 gains nothing"),
    fails(21, widths(NET2, "6,0.7\n12,0.75"), "net3 gains no less than net2"),
    holds(29, best("16,0.1,0.8")),
    fails(29, best("8,0.1,0.8"), "the best run's l1_oc is 8, not 16"),
    fails(29, best("16,0.5,0.8"), "the best run's dropout_rate is 0.5, not 0.1"),
    # of runs that are equally good the first is in best.csv
    holds(29, best("8,0.1,0.8", runs="8,0.1,0.8\n16,0.1,0.8\n16,0.5,0.7")),
    fails(
        29,
        best("8,0.1,0.8", runs="8,0.1,0.8\n16,0.1,0.78\n16,0.5,0.7"),
        "the best run's l1_oc is 8, not 16, ahead by 2 points",
    ),
    holds(30, runs("0.3,0.5", "0.3,0.8", "0.5,0.79")),
    fails(30, runs("0.3,0.8", "0.5,0.79", "0.5,0.8"), "dropout 0.5 reaches it"),
    holds(31, overfit(6, 8)),
    fails(31, overfit(6, 6), "it does not"),
    holds(32, protocols(0.8, 0.81)),
    fails(32, protocols(0.8, 0.8), "it does not"),
    holds(45, costs("0.1,0.875,0.75", "0.3,0.1,0.1", "0.5,0.75,0.6875")),
    fails(45, costs("0.1,0.875,0.75", "0.5,0.75,0.75"), "test accuracy: it falls by 0 points"),
    fails(
        45,
        costs("0.1,0.875,0.75", "0.5,0.625,0.625"),
        "training accuracy: it falls by 25 points; test accuracy: it falls by 12.5 points",
    ),
]

UNMEASURED = [
    (21, widths(NET2, "6,0.7"), "train/net3/by_l1_oc.csv has only one l1_oc"),
    (29, best("16,0.1,0.8", rates="0.1,0.8"), "has only one dropout_rate"),
    (29, best("16,0.1,0.8", grid="16,0.8"), "has only one l1_oc"),
    (30, runs("0.3,0.8", "0.4,0.7"), "has no dropout 0.5: change nets.net4.dropout_rate"),
    (31, overfit(0, 0), "neither net3's best run nor net4's overfits"),
    (32, protocols(0.8, 0.81, net="net5"), "does not have both modes of net4"),
    (45, costs("0.1,0.8,0.7", "0.3,0.7,0.6"), "has no dropout 0.5"),
]

NUMBERS = [
    (
        21,
        widths(NET2, "6,0.7\n48,0.73"),
        {"net2, points a doubling": 4.0, "net3, points a doubling": 1.0},
    ),
    (
        30,
        runs("0.3,0.5", "0.3,0.8", "0.5,0.79"),
        {"dropout 0.3, highest test accuracy": 0.8, "dropout 0.5, highest test accuracy": 0.79},
    ),
    (
        45,
        costs("0.1,0.875,0.75", "0.5,0.75,0.6875"),
        {"training accuracy: falls by, points": 12.5, "test accuracy: falls by, points": 6.25},
    ),
    (32, protocols(0.8, 0.81), {"training mode": 0.8, "evaluation mode": 0.81}),
]
