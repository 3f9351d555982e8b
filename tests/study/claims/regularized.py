"""Claims 9 to 13: files that agree with them, that do not, and that lack what they need."""

from tests.study.claims.folders import fails, holds


def bests(net3, net2="20,0.75,0.95"):
    header = "overfit_percent,test_accuracy,train_accuracy"
    return {"train/net2/best": f"{header}\n{net2}", "train/net3/best": f"{header}\n{net3}"}


def dropout(net, rows):
    header = "dropout_rate,overfit_percent,test_accuracy,train_accuracy"
    return {f"train/{net}/by_dropout_rate": f"{header}\n{rows}"}


def widths(rows):
    return {"train/net3/by_l1_oc": f"l1_oc,test_accuracy\n{rows}"}


def parameters(net4):
    header = "test_accuracy,total_parameters"
    return {"train/net3/best": f"{header}\n0.8,1000", "train/net4/best": f"{header}\n{net4}"}


JUDGED = [
    holds(9, bests("10,0.8,0.9")),
    fails(9, bests("10.5,0.8,0.905"), "net3's best overfits more than half as much as net2's"),
    fails(9, bests("5,0.75,0.8"), "net3's best does not beat net2's"),
    # even if nothing overfits
    fails(9, bests("0.5,0.75,0.755", "0,0.75,0.7"), "net3's best does not beat net2's"),
    holds(10, dropout("net3", "0.1,5,0.8,0.85\n0.5,2,0.7,0.69")),
    holds(10, dropout("net3", "0.1,1,0.8,0.81\n0.5,0.5,0.7,0.7")),
    fails(
        10,
        dropout("net3", "0.1,5,0.8,0.85\n0.5,5,0.7,0.75"),
        "overfit (points) goes from 5 (dropout 0.1) to 5 (dropout 0.5)",
    ),
    fails(
        10,
        dropout("net3", "0.1,5,0.7,0.8\n0.3,3,0.8,0.8\n0.5,2,0.6,0.6"),
        "test accuracy goes from 0.7 (dropout 0.1) to 0.8 (dropout 0.3)",
    ),
    holds(11, widths("32,0\n64,0.9\n96,0.04")),
    fails(11, widths("32,0\n64,0.9\n96,0"), "it gains nothing"),
    fails(11, widths("32,0\n64,0.9\n96,-0.1"), "it gains nothing"),
    fails(11, widths("32,0\n64,0.9\n96,0.05"), "it gains 5 points"),
    holds(12, parameters("0.9,700")),
    holds(12, parameters("0.9,600")),
    fails(12, parameters("0.8,650"), "net4's best does not beat net3's"),
    fails(12, parameters("0.9,710"), "it has 29 percent fewer parameters"),
    fails(12, parameters("0.9,590"), "it has 41 percent fewer parameters"),
    holds(13, dropout("net4", "0.3,0,0.8,0.8\n0.5,0,0.7,0.7")),
    fails(13, dropout("net4", "0.3,0,0.7,0.7\n0.5,0,0.7,0.7"), "dropout 0.5 is at least as good"),
    holds(
        9,
        bests("0,0.8,0.755"),
        "the training accuracy of net3's best run, taken while it trains, is 4.5 points below "
        "its test accuracy, which counts as no overfit",
    ),
]

UNMEASURED = [
    (9, bests("0,0.8,0.7", "0,0.75,0.7"), "net2's best run does not overfit"),
    (10, dropout("net3", "0.1,5,0.8,0.8"), "has only one dropout_rate"),
    # hardly an epoch overfits, so that dropout has nothing to take away
    (
        10,
        dropout("net3", "0.1,0.9,0.64,0.59\n0.5,0,0.52,0.42"),
        "at dropout_rate 0.1 net3 overfits by 0.9 points on average",
    ),
    (11, widths("6,0.7\n12,0.9"), "has no l1_oc 32, 96: change nets.net3.l1_oc"),
    (13, dropout("net4", "0.3,0,0.7,0.7\n0.4,0,0.6,0.6"), "has no dropout 0.5"),
]
