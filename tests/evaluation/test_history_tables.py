import pandas as pd
import pytest

from convscope.base import names
from convscope.evaluation import history_tables
from tests import toys


def history(**columns):
    """A small history: what the test does not name is the same in every row."""
    return pd.DataFrame(dict.fromkeys(toys.HISTORY, 0) | columns)


@pytest.mark.parametrize(
    ("net", "named"),
    [
        ("baseline", ["by_lr_batch_size", "best", "runs"]),
        (
            "net1",
            [
                "by_l1_oc_filter_multiplier",
                "by_kernel_size_stride",
                "by_kernel_size",
                "best",
                "runs",
            ],
        ),
        ("net2", ["by_epoch", "by_l1_oc", "by_kernel_size", "best", "runs"]),
        ("net3", ["by_dropout_rate", "by_l1_oc", "best", "runs"]),
        ("net4", ["by_dropout_rate", "best", "runs", "overfit_above"]),
    ],
)
def test_the_study_s_networks_get_its_tables_even_where_nothing_varies(net, named):
    made = history_tables.of_net(net, history(run=[1, 1], epoch=[1, 2]))
    assert list(made) == named


def test_another_network_gets_a_table_by_epoch_and_by_each_axis_that_varies():
    rows = history(run=[1, 2, 3], lr=[0.1, 0.2, 0.1], stride=[1, 1, 2], seed=[0, 0, 1])
    named = ["by_epoch", "by_lr", "by_stride", "best", "runs"]
    named += ["seeds_by_epoch", "seeds_by_lr", "seeds_by_stride", "seeds_best"]
    assert list(history_tables.of_net("net5", rows)) == named


def test_tables_are_means_over_all_epochs_of_all_runs():
    rows = history(
        run=[1, 1, 2, 2, 3, 3],
        epoch=[1, 2, 1, 2, 1, 2],
        l1_oc=[8, 8, 8, 8, 4, 4],
        kernel_size=[3, 3, 5, 5, 3, 3],
        loss=[4.0, 2.0, 3.0, 1.0, 8.0, 6.0],
        test_accuracy=[0.125, 0.25, 0.375, 0.25, 0.5, 0.75],
    )
    made = history_tables.of_net("net2", rows)
    by_width = made["by_l1_oc"]
    assert by_width["l1_oc"].tolist() == [4, 8]
    assert by_width["loss"].tolist() == [7.0, 2.5]
    assert by_width["test_accuracy"].tolist() == [0.625, 0.25]
    assert made["by_epoch"]["loss"].tolist() == [5.0, 3.0]
    assert made["by_kernel_size"]["loss"].tolist() == [5.0, 2.0]


def test_several_seeds_give_the_spread_of_their_means():
    rows = history(l1_oc=[6, 6, 6, 6], seed=[0, 0, 1, 1], test_accuracy=[0.1, 0.3, 0.5, 0.7])
    table = history_tables.mean_by(rows, ["l1_oc"])
    assert table["test_accuracy"].tolist() == pytest.approx([0.4])
    assert table["test_accuracy_std"].tolist() == pytest.approx([0.4 / 2**0.5])
    assert "test_accuracy_std" not in history_tables.mean_by(history(l1_oc=[6, 6]), ["l1_oc"])


def test_of_several_seeds_each_has_the_tables_of_its_own_runs():
    rows = history(
        run=[1, 1, 2, 2],
        epoch=[1, 2, 1, 2],
        dropout_rate=[0.3] * 4,
        seed=[0, 0, 7, 7],
        test_accuracy=[0.1, 0.3, 0.9, 0.7],
    )
    made = history_tables.of_net("net4", rows)
    # what a history of one seed gets stays as it is
    assert [*made][:4] == ["by_dropout_rate", "best", "runs", "overfit_above"]
    assert [*made][4:] == ["seeds_by_dropout_rate", "seeds_best"]
    by_seed = made["seeds_by_dropout_rate"][["dropout_rate", "seed", "test_accuracy"]]
    assert by_seed.to_numpy().tolist() == [[0.3, 0, pytest.approx(0.2)], [0.3, 7, 0.8]]
    assert not [column for column in made["seeds_by_dropout_rate"] if column.endswith("_std")]
    best = made["seeds_best"][["seed", "epoch", "test_accuracy"]]
    assert best.to_numpy().tolist() == [[0, 2, 0.3], [7, 1, 0.9]]
    alone = history_tables.of_net("net4", rows[rows["seed"] == 7])["by_dropout_rate"]
    assert alone["test_accuracy"].tolist() == by_seed["test_accuracy"].tolist()[1:]


def test_every_run_has_a_row_with_its_best_epoch_and_its_last():
    rows = history(
        run=[2, 2, 2, 1, 1, 1],
        epoch=[1, 3, 2, 1, 2, 3],
        l1_oc=[8, 8, 8, 4, 4, 4],
        test_accuracy=[0.25, 0.5, 0.75, 0.5, 0.5, 0.125],
        overfit_percent=[0.0, 9.0, 7.0, 1.0, 2.0, 3.0],
        total_parameters=[90, 90, 90, 40, 40, 40],
    )
    found = history_tables.runs(rows)
    shown = ["run", "l1_oc", "epoch", "test_accuracy", "last_accuracy", "overfit_percent"]
    assert found[[*shown, "total_parameters"]].values.tolist() == [
        [1, 4, 1, 0.5, 0.125, 1.0, 40],
        [2, 8, 2, 0.75, 0.5, 7.0, 90],
    ]
    assert found.columns[-1] == "total_parameters"


def test_best_is_the_earliest_row_with_the_highest_test_accuracy():
    rows = history(
        run=[1, 1, 2, 2],
        epoch=[1, 2, 1, 2],
        train_accuracy=[0.9, 0.5, 0.6, 0.7],
        test_accuracy=[0.4, 0.6, 0.6, 0.3],
    )
    best = history_tables.of_net("net4", rows)["best"]
    assert list(best) == list(toys.HISTORY)
    assert best[["run", "epoch", "test_accuracy"]].to_numpy().tolist() == [[1, 2, 0.6]]


def test_overfit_is_that_of_epochs_above_and_not_at_the_accuracy():
    accuracies, overfits = [0.87, 0.88, 0.89, 0.95], [50.0, 40.0, 7.0, 10.0]
    rows = history(test_accuracy=accuracies, overfit_percent=overfits)
    above = history_tables.overfit_above(rows)
    assert list(above) == ["test_accuracy_above", "epochs", "overfit_percent"]
    assert above.to_numpy().tolist() == [[0.88, 2, 8.5]]
    # missing where no epoch is above
    none = history_tables.overfit_above(history(test_accuracy=[0.5, 0.88]))
    assert none.to_csv(index=False).splitlines()[1] == "0.88,0,"


@pytest.mark.parametrize(
    ("point", "runs"),
    [
        ({"l1_oc": 8, "dropout_rate": 0.3}, [(0.1, [2, 6]), (0.5, [1, 5])]),
        ({"l1_oc": 4, "dropout_rate": 0.9}, []),
    ],
)
def test_dropout_extremes_share_all_but_their_rate_and_seed_with_the_point(point, runs):
    grid = history(
        run=[1, 2, 3, 4, 5, 6],
        l1_oc=[8, 8, 8, 4, 8, 8],
        dropout_rate=[0.5, 0.1, 0.3, 0.9, 0.5, 0.1],
        seed=[0, 0, 0, 0, 1, 1],
    )
    found = history_tables.dropout_extremes(grid, dict.fromkeys(names.POINT, 0) | point)
    assert [(rate, rows["run"].tolist()) for rate, rows in found.items()] == runs


STUDIED = {
    "run": [1, 1, 2, 2],
    "epoch": [1, 2, 1, 2],
    "dropout_rate": [0.3, 0.3, 0.5, 0.5],
    "test_accuracy": [0.5, 0.9, 0.75, 0.25],
    "overfit_percent": [0.0, 3.0, 4.0, 5.0],
    "study_accuracy": [0.25, 0.875, 0.9, 0.5],
    "study_overfit_percent": [1.0, 3.5, 2.0, 6.0],
}


@pytest.mark.parametrize(
    ("net", "named"),
    [
        ("net3", ["by_dropout_rate", "by_l1_oc", "best", "best_study", "runs"]),
        ("net4", ["by_dropout_rate", "best", "best_study", "runs", "overfit_above"]),
        ("net5", ["by_epoch", "by_dropout_rate", "best", "best_study", "runs"]),
    ],
)
def test_tables_of_augmented_grids_have_what_was_measured_as_the_study_did(net, named):
    made = history_tables.of_net(net, history(**STUDIED))
    assert list(made) == named
    by_rate = made["by_dropout_rate"]
    assert by_rate["study_accuracy"].tolist() == [0.5625, 0.7]
    assert by_rate["study_overfit_percent"].tolist() == [2.25, 4.0]
    assert list(by_rate)[-3:] == ["study_accuracy", "study_overfit_percent", "total_parameters"]
    chosen = ["run", "epoch", "test_accuracy", "study_accuracy"]
    assert made["best"][chosen].values.tolist() == [[1, 2, 0.9, 0.875]]
    assert made["best_study"][chosen].values.tolist() == [[2, 1, 0.75, 0.9]]


def test_a_run_has_the_study_s_measures_at_its_best_epoch_and_the_highest_of_all():
    rows = history(**STUDIED | {"study_accuracy": [0.95, 0.875, 0.9, 0.5]})
    assert history_tables.runs(rows).iloc[:, -7:].to_dict("list") == {
        "test_accuracy": [0.9, 0.75],
        "last_accuracy": [0.9, 0.25],
        "overfit_percent": [3.0, 4.0],
        "study_accuracy": [0.875, 0.9],
        "best_study_accuracy": [0.95, 0.9],
        "study_overfit_percent": [3.5, 2.0],
        "total_parameters": [0, 0],
    }


def test_overfit_above_by_the_study_s_test_is_of_the_epochs_high_by_that():
    above = history_tables.overfit_above(history(**STUDIED))
    assert above.to_dict("list") == {
        "test_accuracy_above": [0.88],
        "epochs": [1],
        "overfit_percent": [3.0],
        "study_epochs": [1],
        "study_overfit_percent": [2.0],
    }


def test_the_study_s_measures_have_a_spread_of_seeds_too():
    rows = history(**STUDIED, seed=[0, 0, 1, 1])
    table = history_tables.mean_by(rows, ["l1_oc"])
    assert table["study_accuracy_std"].tolist() == pytest.approx([0.1375 / 2**0.5])
