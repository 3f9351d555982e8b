import pandas as pd
import pytest

from convscope.evaluation import selection
from tests.toys import assert_table

IMAGES = 8
PAIR = ["net", "other", "only_first", "only_second", "difference_points", "p_value"]


def history(*runs, validation=()):
    """Runs as the test accuracies of their epochs, in eighths; validation accuracies likewise."""
    table = pd.DataFrame(
        {"run": run, "epoch": epoch, "test_accuracy": right / 8}
        for run, epochs in enumerate(runs, start=1)
        for epoch, right in enumerate(epochs, start=1)
    )
    if validation:
        table["validation_accuracy"] = [right / 8 for epochs in validation for right in epochs]
    return table


def measured(**histories):
    return selection.by_net(histories, IMAGES)


def test_the_best_epoch_and_the_last_of_its_run_and_the_mean_over_all_runs():
    table = measured(net1=history([4, 7, 5], [6, 3, 6], [1, 2, 3]), net2=history([2, 8, 8]))
    # on average (7 - 5) + (6 - 6) + (3 - 3) eighths over 3 runs
    assert table.pop("mean_best_less_last").tolist() == pytest.approx([100 * 2 / 8 / 3, 0])
    expected = """
        net   runs  choices  run  epoch  test_accuracy  last_accuracy  best_less_last
        net1     3        9    1      2          0.875          0.625            25.0
        net2     1        3    1      2          1.000          1.000             0.0
    """
    intervals = [name for name in table if name.endswith(("low", "high"))]
    assert_table(table.drop(columns=intervals), expected)


def test_the_pair_that_validation_chooses_is_measured_on_the_test_images():
    table = measured(net1=history([4, 7, 5], [6, 3, 2], validation=([5, 4, 6], [2, 3, 7])))
    chosen = table[["chosen_run", "chosen_epoch", "chosen_accuracy"]].to_numpy().tolist()
    assert chosen == [[2, 3, 0.25]]
    assert table["best_less_chosen"].tolist() == [100 * (7 - 2) / 8]
    # run 1 chooses epoch 3 (7 - 5), run 2 epoch 3 (6 - 2)
    assert table["mean_best_less_chosen"].tolist() == [100 * (2 + 4) / 8 / 2]


def test_of_equal_validation_accuracies_the_earliest_chooses():
    table = measured(net1=history([1, 2], [3, 4], validation=([6, 6], [6, 5])))
    assert table[["chosen_run", "chosen_epoch"]].to_numpy().tolist() == [[1, 1]]


def test_a_network_without_validation_has_no_choice():
    table = measured(net1=history([4]), net2=history([4], validation=([1],)))
    assert table["chosen_accuracy"].isna().tolist() == [True, False]
    assert not any(name.startswith("chosen") for name in measured(net1=history([4])))


def test_each_accuracy_has_its_own_interval():
    row = measured(net1=history([2, 6, 4], validation=([3, 1, 1],))).iloc[0]
    # Wilson (1927), z = 1.96, of 6, 4 and 2 of 8
    assert row[["low", "high"]].tolist() == pytest.approx([0.40927, 0.92852], abs=1e-5)
    assert row[["last_low", "last_high"]].tolist() == pytest.approx([0.21521, 0.78479], abs=1e-5)
    ends = row[["chosen_low", "chosen_high"]].tolist()
    assert ends == pytest.approx([0.07148, 0.59073], abs=1e-5)


def taken(label, **nets):
    return pd.DataFrame({"image": range(len(label)), "label": label, **nets})


def test_mcnemar_counts_the_images_that_only_one_gets_right():
    nets = {"net1": [0, 0, 1, 1, 0], "net2": [0, 1, 0, 0, 2], "net3": [0, 0, 1, 0, 1]}
    # 3 to 1: 2 (1 + 4) / 16; 1 to 0: both ways are as uneven; 1 to 2: so are all
    expected = f"""
        {" ".join(PAIR)}
        net1  net2  3  1   40.0  0.625
        net1  net3  1  0   20.0  1.0
        net2  net3  1  2  -20.0  1.0
    """
    assert_table(selection.mcnemar(taken([0, 0, 1, 1, 2], **nets)), expected)


def test_one_network_has_no_pair():
    table = selection.mcnemar(taken([0, 1], net1=[0, 0]))
    assert table.empty
    assert list(table) == PAIR
