"""The sections on the networks: what they are made of, seeds, and overfit."""

import pandas as pd
import pytest

from convscope.evaluation import history_tables
from convscope.report import comparison, training
from convscope.report.document import Figure, Table
from convscope.report.images import Images
from convscope.report.reading import Folder
from tests import toys
from tests.report import folders

NO = "–"  # noqa: RUF001


@pytest.fixture
def net4(tmp_path):
    for name, content in folders.grid("net").items():
        folders.replace(tmp_path / "train/net4" / name, content)
    return Folder(tmp_path, "train/net4", "train net4")


def found(folder, name):
    return next(part for part in training.net(folder).parts if source(part) == f"train/net4/{name}")


def source(part):
    return part.source if isinstance(part, Table | Figure) else ""


def texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_network_comes_before_its_results(net4):
    sources = [source(part) for part in training.net(net4).parts]
    # what it is, and whether it is of the published size
    assert sources[2:6] == [
        "train/net4/network.png",
        "train/net4/layers.csv",
        "",
        "train/net4/best.csv",
    ]


def test_figures_name_the_network_and_the_run_that_they_show(net4):
    assert found(net4, "curves.png").caption.startswith("net4: loss and accuracy by epoch")
    assert "the network of the best run" in found(net4, "network.png").caption
    held_out = {"train": {"select_on": "validation"}, "net": {}}
    folders.replace(net4.path / "params.json", held_out)
    chosen = Folder(net4.reports, net4.name, net4.stage)
    assert "the run that held-out images chose" in found(chosen, "network.png").caption
    assert "the run that held-out images chose" in found(chosen, "layers.csv").caption


def test_its_layers_are_folded_and_their_parameters_summed(net4):
    table = found(net4, "layers.csv")
    assert table.folded
    assert table.caption.endswith("62,006 parameters")
    assert texts(table) == [
        ["image", "RGB pixels", "3", "32", "1", "0"],
        ["conv1", "conv 5x5", "6", "28", "5", "456"],
        ["fc3", "fully connected", "10", NO, NO, "61,550"],
    ]


def seeds(*accuracies):
    """A history of a run for each seed, of one epoch each, and its table by width."""
    rows = {name: [0] * len(accuracies) for name in toys.HISTORY}
    changed = {"test_accuracy": accuracies, "seed": range(len(accuracies)), "l1_oc": 18}
    return history_tables.of_net("net2", pd.DataFrame(rows | changed))["by_l1_oc"].to_csv(
        index=False
    )


def test_a_mean_over_seeds_has_its_standard_deviation_in_the_same_cell(net4):
    # deviations of -0.25 and 0.25 from the mean: the root of 2 x 0.0625 / (2 - 1)
    folders.replace(net4.path / "by_l1_oc.csv", seeds(0.25, 0.75))
    table = found(net4, "by_l1_oc.csv")
    assert [column.name for column in table.columns] == [
        *("l1_oc", "loss", "train_accuracy", "test_accuracy"),
        *("overfit_percent", "total_parameters"),
    ]
    assert texts(table) == [
        ["18", "0.0000 ± 0.0000", "0.00% ± 0.00%", "50.00% ± 35.36%", "0.00 ± 0.00", "0"]
    ]
    assert table.rows[0].cells[3].value == "0.5"
    assert "standard deviation of the seeds' own means" in table.notes[-1]


def test_a_single_seed_has_no_standard_deviation(net4):
    folders.replace(net4.path / "by_l1_oc.csv", seeds(0.25))
    table = found(net4, "by_l1_oc.csv")
    assert texts(table)[0][3] == "25.00%"
    assert not any("standard deviation" in note for note in table.notes)


def test_a_missing_standard_deviation_leaves_the_mean(net4):
    folders.replace(
        net4.path / "by_l1_oc.csv", "l1_oc,test_accuracy,test_accuracy_std\n6,0.5,\n8,0.25,0.125\n"
    )
    assert texts(found(net4, "by_l1_oc.csv")) == [["6", "50.00%"], ["8", "25.00% ± 12.50%"]]


def test_means_over_seeds_are_still_compared_with_the_study(net4):
    folders.replace(
        net4.path / "by_dropout_rate.csv",
        "dropout_rate,test_accuracy,test_accuracy_std\n0.3,0.8,0.1\n",
    )
    section = comparison.compared(training.net(net4), Images("cifar10"), net4.reports)
    table, _ = [part for part in section.parts if source(part).endswith("by_dropout_rate.csv")]
    assert texts(table) == [["0.3", "80.00% ± 10.00%", "85.11%", "-5.11"]]


def test_overfit_of_accurate_epochs_is_shown_where_it_was_measured(net4):
    assert "train/net4/overfit_above.csv" not in map(source, training.net(net4).parts)
    path = net4.path / "overfit_above.csv"
    folders.replace(path, "test_accuracy_above,epochs,overfit_percent\n0.88,12,7.125\n")
    table = found(net4, path.name)
    assert texts(table) == [["88.00%", "12", "7.12"]]
    assert not table.notes


def test_no_epoch_above_is_said(net4):
    path = net4.path / "overfit_above.csv"
    folders.replace(path, "test_accuracy_above,epochs,overfit_percent\n0.88,0,\n")
    table = found(net4, path.name)
    assert texts(table) == [["88.00%", "0", NO]]
    assert table.notes == ("No epoch has a test accuracy above 88.00%.",)


def test_little_and_much_dropout_are_shown_where_they_were_drawn(net4):
    assert "train/net4/dropout.png" not in map(source, training.net(net4).parts)
    folders.replace(net4.path / "dropout.png", folders.PNG)
    assert "the least and the most dropout" in found(net4, "dropout.png").caption
