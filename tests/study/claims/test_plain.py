import pytest

from tests.study.claims.folders import judged

SETTINGS = "train/baseline/by_lr_batch_size"
WIDTHS = "train/net1/by_l1_oc_filter_multiplier"
WINDOWS = "train/net1/by_kernel_size_stride"
EPOCHS = [1, 5, 9, 13, 17, 21, 25, 29]


def settings(*accuracies):
    pairs = ["0.01,128", "0.01,256", "0.01,512", "0.001,128", "0.001,256", "0.001,512"]
    rows = [f"{pair},{value}" for pair, value in zip(pairs, accuracies, strict=False)]
    return {SETTINGS: "\n".join(["lr,batch_size,test_accuracy", *rows])}


def test_1_the_setting_must_beat_each_of_the_five_others(tmp_path):
    claim = judged(tmp_path, 1, settings(0.5, 0.4, 0.3, 0.4, 0.2, 0.1))
    assert (str(claim.verdict), claim.section, claim.why) == ("holds", "baseline", "")
    assert claim.measured["lr 0.001, batch 128"] == 0.4
    claim = judged(tmp_path, 1, settings(0.5, 0.6, 0.3, 0.5, 0.2, 0.1))
    assert claim.verdict == "does not hold"
    assert (
        claim.why
        == "lr 0.01, batch 256 is at least as good; lr 0.001, batch 128 is at least as good"
    )


def test_1_a_seventh_setting_is_not_the_claim_s(tmp_path):
    files = settings(0.5, 0.4, 0.3, 0.4, 0.2, 0.1)
    files[SETTINGS] += "\n0.1,128,0.9"
    assert judged(tmp_path, 1, files).verdict == "holds"


def test_1_needs_all_six(tmp_path):
    claim = judged(tmp_path, 1, settings(0.5, 0.4, 0.3, 0.4))
    assert claim.verdict == "not measured"
    assert claim.why == (
        "reports/train/baseline/by_lr_batch_size.csv has no lr 0.001, batch 256; lr 0.001, "
        "batch 512: change nets.baseline.lr and batch_size in params.yaml and run `dvc repro`"
    )


def widths(rows):
    return {WIDTHS: f"l1_oc,filter_multiplier,test_accuracy\n{rows}"}


def test_2_accuracy_rises_at_every_width_for_every_multiplier(tmp_path):
    claim = judged(
        tmp_path, 2, widths("4,1.5,0.2\n8,1.5,0.3\n16,1.5,0.4\n4,2,0.5\n8,2,0.6\n16,2,0.7")
    )
    assert claim.verdict == "holds"
    assert claim.measured["l1_oc 8, m 1.5"] == 0.3


@pytest.mark.parametrize("middle", [0.2, 0.1, 0.4, 0.5])
def test_2_one_step_that_does_not_rise_is_enough_against_it(middle, tmp_path):
    claim = judged(
        tmp_path, 2, widths(f"4,1.5,0.2\n8,1.5,{middle}\n16,1.5,0.4\n4,2,0.5\n8,2,0.6\n16,2,0.7")
    )
    assert claim.verdict == "does not hold"
    assert "(l1_oc 8, m 1.5)" in claim.why


def test_2_needs_two_widths(tmp_path):
    claim = judged(tmp_path, 2, widths("4,1.5,0.2\n4,2,0.5"))
    assert claim.verdict == "not measured"
    assert "has but one l1_oc: change nets.net1.l1_oc" in claim.why


def windows(rows):
    return {WINDOWS: f"kernel_size,stride,test_accuracy\n{rows}"}


def test_3_stride_2_must_be_worse_for_each_kernel(tmp_path):
    assert judged(tmp_path, 3, windows("3,1,0.5\n3,2,0.4\n5,1,0.6\n5,2,0.55")).verdict == "holds"
    claim = judged(tmp_path, 3, windows("3,1,0.5\n3,2,0.4\n5,1,0.6\n5,2,0.6"))
    assert (claim.verdict, claim.why) == (
        "does not hold",
        "with kernel 5 stride 2 is at least as good",
    )
    claim = judged(tmp_path, 3, windows("3,1,0.5\n5,1,0.6"))
    assert claim.verdict == "not measured"
    assert "no kernel 3, stride 2; kernel 5, stride 2" in claim.why


@pytest.mark.parametrize(
    ("three_two", "five_one", "verdict", "why"),
    [
        (0.4, 0.45, "holds", ""),
        (0.4, 0.5, "holds", ""),
        (0.4, 0.51, "does not hold", "at stride 1 kernel 5 is better"),
        (0.45, 0.4, "does not hold", "at stride 2 kernel 5 does not beat kernel 3"),
    ],
)
def test_4_kernels_at_each_stride(three_two, five_one, verdict, why, tmp_path):
    files = windows(f"3,1,0.5\n3,2,{three_two}\n5,1,{five_one}\n5,2,0.45")
    claim = judged(tmp_path, 4, files)
    assert (claim.verdict, claim.why) == (verdict, why)


def test_4_needs_both_kernels(tmp_path):
    assert judged(tmp_path, 4, windows("3,1,0.5\n3,2,0.4")).verdict == "not measured"


def best(row, grid="3,1,0.5\n5,1,0.5\n3,2,0.4\n5,2,0.3"):
    return {
        **widths("4,1.5,0.2\n4,2,0.3\n8,1.5,0.4\n8,2,0.5"),
        **windows(grid),
        "train/net1/best": f"l1_oc,filter_multiplier,kernel_size,stride,test_accuracy\n{row}",
    }


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("8,2,3,1,0.6", ""),
        ("4,2,3,1,0.6", "the best run's l1_oc is 4, not 8"),
        ("8,1.5,3,1,0.6", "the best run's filter_multiplier is 1.5, not 2"),
        (
            "8,2,5,2,0.6",
            "the best run's kernel_size is 5, not 3; the best run's stride is 2, not 1",
        ),
    ],
)
def test_5_the_best_run_is_the_widest_with_kernel_3_and_stride_1(row, why, tmp_path):
    claim = judged(tmp_path, 5, best(row))
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)


@pytest.mark.parametrize("grid", ["3,1,0.5\n3,2,0.4", "3,1,0.5\n5,1,0.4", "5,1,0.5\n7,2,0.4"])
def test_5_needs_a_choice_of_kernels_and_strides(grid, tmp_path):
    assert judged(tmp_path, 5, best("8,2,3,1,0.6", grid)).verdict == "not measured"


@pytest.mark.parametrize(
    ("widest", "five", "seven", "why"),
    [
        (0.7, 0.5, 0.4, ""),
        (0.7, 0.6, 0.4, ""),
        (0.7, 0.4, 0.4, "kernel 5 is no better"),
        (0.6, 0.5, 0.4, "goes from 0.6 (l1_oc 8) to 0.6 (l1_oc 16)"),
    ],
)
def test_6_wider_is_better_and_kernel_7_worst(widest, five, seven, why, tmp_path):
    files = {
        "train/net2/by_l1_oc": f"l1_oc,test_accuracy\n8,0.6\n16,{widest}",
        "train/net2/by_kernel_size": f"kernel_size,test_accuracy\n3,0.5\n5,{five}\n7,{seven}",
    }
    claim = judged(tmp_path, 6, files)
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)


def test_6_needs_kernel_7(tmp_path):
    files = {
        "train/net2/by_l1_oc": "l1_oc,test_accuracy\n8,0.6\n16,0.7",
        "train/net2/by_kernel_size": "kernel_size,test_accuracy\n3,0.5\n5,0.4",
    }
    claim = judged(tmp_path, 6, files)
    assert claim.verdict == "not measured"
    assert "has no kernel 7: change nets.net2.kernel_size" in claim.why


def overfit(by_epoch, of_best):
    rows = "\n".join(f"{epoch},{value}" for epoch, value in by_epoch.items())
    return {
        "train/net2/by_epoch": f"epoch,overfit_percent\n{rows}",
        "train/net2/best": f"overfit_percent\n{of_best}",
    }


def test_7_overfit_grows_from_printed_epoch_to_printed_epoch(tmp_path):
    growing = {epoch: epoch / 2 for epoch in EPOCHS}
    # between the epochs that the study prints it may go up and down
    claim = judged(tmp_path, 7, overfit({**growing, 2: 30.0, 30: 0.0}, 20.5))
    assert claim.verdict == "holds"
    assert len(claim.measured) == 9
    claim = judged(tmp_path, 7, overfit({**growing, 25: 10.0}, 20.5))
    assert claim.verdict == "does not hold"
    assert claim.why == "mean overfit goes from 10.5 (epoch 21) to 10 (epoch 25)"
    claim = judged(tmp_path, 7, overfit(growing, 20.0))
    assert (claim.verdict, claim.why) == ("does not hold", "the best run's overfit is 20 percent")


def test_7_needs_29_epochs(tmp_path):
    claim = judged(tmp_path, 7, overfit({epoch: epoch for epoch in EPOCHS[:-1]}, 21))
    assert claim.verdict == "not measured"
    assert "has no epoch 29: change nets.net2.epochs" in claim.why


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("16,0.8", ""),
        ("8,0.8", "the best run's l1_oc is 8, not 16"),
        ("16,0.7", "net2's best does not beat net1's"),
    ],
)
def test_8_the_best_is_of_the_widest_and_beats_net1(row, why, tmp_path):
    files = {
        "train/net1/best": "test_accuracy\n0.7",
        "train/net2/by_l1_oc": "l1_oc,test_accuracy\n8,0.6\n16,0.5",
        "train/net2/best": f"l1_oc,test_accuracy\n{row}",
    }
    claim = judged(tmp_path, 8, files)
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)


def test_8_needs_two_widths(tmp_path):
    files = {
        "train/net1/best": "test_accuracy\n0.7",
        "train/net2/by_l1_oc": "l1_oc,test_accuracy\n16,0.5",
        "train/net2/best": "l1_oc,test_accuracy\n16,0.8",
    }
    assert judged(tmp_path, 8, files).verdict == "not measured"
