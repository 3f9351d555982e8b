import pytest

from tests.study.claims.folders import judged


def bests(net2, net3):
    header = "overfit_percent,test_accuracy,train_accuracy"
    return {"train/net2/best": f"{header}\n{net2}", "train/net3/best": f"{header}\n{net3}"}


@pytest.mark.parametrize(
    ("net3", "why"),
    [
        ("10,0.8,0.9", ""),
        ("10.5,0.8,0.905", "net3's best overfits more than half as much as net2's"),
        ("5,0.75,0.8", "net3's best does not beat net2's"),
    ],
)
def test_9_half_the_overfit_and_more_accuracy(net3, why, tmp_path):
    claim = judged(tmp_path, 9, bests("20,0.75,0.95", net3))
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)


def test_9_says_when_training_accuracy_is_below_test_accuracy(tmp_path):
    claim = judged(tmp_path, 9, bests("20,0.75,0.95", "0,0.8,0.755"))
    assert claim.verdict == "holds"
    assert claim.why == (
        "the training accuracy of net3's best run, taken while it trains, is 4.5 points below its "
        "test accuracy, which counts as no overfit"
    )


def test_9_needs_some_overfit_to_halve(tmp_path):
    claim = judged(tmp_path, 9, bests("0,0.75,0.7", "0,0.8,0.7"))
    assert claim.verdict == "not measured"
    assert "does not overfit" in claim.why


def test_9_less_accuracy_speaks_against_it_even_if_nothing_overfits(tmp_path):
    claim = judged(tmp_path, 9, bests("0,0.75,0.7", "0.5,0.75,0.755"))
    assert (claim.verdict, claim.why) == ("does not hold", "net3's best does not beat net2's")


def dropout(net, rows):
    header = "dropout_rate,overfit_percent,test_accuracy,train_accuracy"
    return {f"train/{net}/by_dropout_rate": f"{header}\n{rows}"}


def test_10_overfit_and_accuracy_both_fall(tmp_path):
    claim = judged(tmp_path, 10, dropout("net3", "0.1,5,0.8,0.85\n0.5,2,0.7,0.69"))
    assert (claim.verdict, claim.why) == ("holds", "")
    claim = judged(tmp_path, 10, dropout("net3", "0.1,0,0.8,0.8\n0.5,0,0.7,0.7"))
    assert claim.verdict == "does not hold"
    assert claim.why == "overfit (points) goes from 0 (dropout 0.1) to 0 (dropout 0.5)"
    claim = judged(tmp_path, 10, dropout("net3", "0.1,5,0.7,0.8\n0.3,3,0.8,0.8\n0.5,2,0.6,0.6"))
    assert claim.why == "test accuracy goes from 0.7 (dropout 0.1) to 0.8 (dropout 0.3)"
    assert judged(tmp_path, 10, dropout("net3", "0.1,5,0.8,0.8")).verdict == "not measured"


def test_10_says_when_training_accuracy_is_below_test_accuracy_at_every_rate(tmp_path):
    claim = judged(tmp_path, 10, dropout("net3", "0.1,0.1,0.64,0.59\n0.5,0,0.52,0.42"))
    assert claim.verdict == "holds"
    assert claim.why == (
        "at every rate the mean training accuracy is below the mean test accuracy, by 5 to 10 "
        "points, so that hardly an epoch overfits"
    )


@pytest.mark.parametrize(
    ("widest", "verdict", "why"),
    [
        (0.04, "holds", ""),
        (0.0, "holds", ""),
        (-0.1, "holds", "it loses"),
        (0.05, "does not hold", "it gains 5 points"),
    ],
)
def test_11_three_times_the_width_gains_less_than_5_points(widest, verdict, why, tmp_path):
    claim = judged(
        tmp_path, 11, {"train/net3/by_l1_oc": f"l1_oc,test_accuracy\n32,0\n64,0.9\n96,{widest}"}
    )
    assert (claim.verdict, claim.why) == (verdict, why)


def test_11_needs_both_widths(tmp_path):
    claim = judged(tmp_path, 11, {"train/net3/by_l1_oc": "l1_oc,test_accuracy\n6,0.7\n12,0.9"})
    assert claim.verdict == "not measured"
    assert "has no l1_oc 32, 96: change nets.net3.l1_oc" in claim.why


@pytest.mark.parametrize(
    ("net4", "why"),
    [
        ("0.9,700", ""),
        ("0.9,600", ""),
        ("0.8,650", "net4's best does not beat net3's"),
        ("0.9,710", "it has 29 percent fewer parameters"),
        ("0.9,590", "it has 41 percent fewer parameters"),
    ],
)
def test_12_better_with_fewer_parameters(net4, why, tmp_path):
    header = "test_accuracy,total_parameters"
    files = {"train/net3/best": f"{header}\n0.8,1000", "train/net4/best": f"{header}\n{net4}"}
    claim = judged(tmp_path, 12, files)
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)


def test_12_needs_net3(tmp_path):
    claim = judged(tmp_path, 12, {"train/net4/best": "test_accuracy,total_parameters\n0.9,600"})
    assert claim.why == "reports/train/net3/best.csv is missing: run `convscope train net3`"


def test_13_less_dropout_is_better(tmp_path):
    assert judged(tmp_path, 13, dropout("net4", "0.3,0,0.8\n0.5,0,0.7")).verdict == "holds"
    assert judged(tmp_path, 13, dropout("net4", "0.3,0,0.7\n0.5,0,0.7")).verdict == "does not hold"
    claim = judged(tmp_path, 13, dropout("net4", "0.3,0,0.7\n0.4,0,0.6"))
    assert claim.verdict == "not measured"
    assert "has no dropout 0.5" in claim.why
