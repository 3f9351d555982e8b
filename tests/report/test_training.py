"""What the report says of the data, the grids, the best runs and how they are tested."""

import pandas as pd
import pytest

from convscope.base.names import CLEAN, STUDY
from convscope.base.report_folder import Finished
from convscope.evaluation import history_tables
from convscope.report import training
from tests import toys
from tests.report import folders, read

UNKNOWN = "What this changes was not measured."
OFFICIAL = "c58f30108f718f92721af3b95e74349a"
COMMON = {"momentum": [0.9], "stride": [1]}
FIRST = {"epochs": 10, "augment": False, "lr": [0.01, 0.001], "batch_size": [128, 256, 512]}
OF_BASELINE = FIRST | {"l1_oc": [6], "filter_multiplier": [2.67], "kernel_size": [5]} | COMMON
DEEP = {"epochs": 100, "augment": True, "lr": [0.01], "batch_size": [128], "kernel_size": [3]}
NET4 = DEEP | {"l1_oc": [64], "filter_multiplier": [2.0], "dropout_rate": [0.5, 0.3]} | COMMON


@pytest.fixture
def grid(tmp_path):
    def write(net="net4", train=(), **changed):
        used = {"train": {"seeds": [0], **dict(train)}, "net": {**NET4, **changed}}
        folders.replace(tmp_path / f"train/{net}/params.json", used)
        return Finished(tmp_path, f"train/{net}")

    return write


def test_the_network_comes_before_its_results(text):
    section = read.section(text, "train-net2")
    order = ["network.png", "layers.csv", "2 runs of 2 epochs", "best.csv", "by_epoch.csv"]
    places = [section.index(each) for each in [*order, "by_lr.csv", "by_l1_oc.csv", "curves.png"]]
    assert places == sorted(places)
    assert "![net2: the network of the best run, from image to logits](" in section
    assert "![net2: loss and accuracy by epoch, a line for each run](" in section


def test_a_grid_says_what_it_varies_and_what_it_shares(text):
    section = read.section(text, "train-net2")
    assert (
        "\n2 runs of 2 epochs on unchanged training images. Varied: learning rate 0.01, 0.001. "
        "The same for all: batch size 128; l1_oc 6; seed 0.\n"
    ) in section
    best = read.table(section, "The run and epoch with the highest test accuracy")
    # net2's best is compared with the study's
    assert best[0].endswith(" | Parameters | Learning rate")


def test_its_layers_are_folded_and_their_parameters_summed(text):
    caption = "The network of the best run, layer by layer: 62,006 parameters"
    section = read.section(text, "train-net10")
    assert f"<details><summary>{caption}</summary>" in section
    assert read.table(section, caption)[1:] == [
        "image | RGB pixels | 3 | 32 | 1 | 0",
        "conv1 | conv 5x5 | 6 | 28 | 5 | 456",
        "fc3 | fully connected | 10 | – | – | 61,550",  # noqa: RUF001
    ]


def test_tables_by_setting_follow_the_study_and_what_was_measured_is_shown(changed):
    # seeds that are 0.25 off their mean: the root of 2 x 0.0625 / (2 - 1)
    rows = {name: [0, 0] for name in toys.HISTORY}
    history = pd.DataFrame(rows | {"test_accuracy": [0.25, 0.75], "seed": [0, 1], "l1_oc": 18})
    files = {
        "by_dropout_rate.csv": "dropout_rate,test_accuracy\n0.3,0.8\n0.5,0.85\n",
        "by_l1_oc.csv": history_tables.of_net("net2", history)["by_l1_oc"].to_csv(index=False),
        "dropout.png": folders.PNG,
        "overfit_above.csv": ("test_accuracy_above,epochs,overfit_percent\n0.88,0,\n0.8,2,7.125\n"),
        "params.json": {
            "train": {"seeds": [0], "select_on": "validation"},
            "net": folders.GRID,
        },
    }
    files = {f"train/net10/{name}": content for name, content in files.items()}
    section = changed(files, "train-net10")
    assert [each for each in read.captions(section) if each.startswith("By ")] == [
        *("By epoch", "By dropout rate", "By learning rate", "By l1_oc")
    ]
    (row,) = read.table(section, "By l1_oc")[1:]
    spread = "0.0000 ± 0.0000 | 0.00% ± 0.00% | 50.00% ± 35.36%"
    assert row.startswith(f"18 | {spread} | ")
    assert row.count(" | ") == 5
    assert "standard deviation of the seeds' own means" in read.notes(section, "By l1_oc")[-1]
    overfit = "Mean overfit of all epochs with a high test accuracy"
    rows = ["88.00% | 0 | –", "80.00% | 2 | 7.12"]  # noqa: RUF001
    assert read.table(section, overfit)[1:] == rows
    assert read.notes(section, overfit) == ["No epoch has a test accuracy above 88.00%."]
    selected = "the run that held-out images selected"
    assert f"![net10: the network of {selected}, from image" in section
    assert f"The network of {selected}, layer by layer" in section
    assert "the least and the most dropout, all else as in the run that held-out" in section


def test_a_single_seed_has_no_standard_deviation_and_what_was_not_drawn_is_not_shown(text):
    section = read.section(text, "train-net10")
    absent = ("standard deviation", "dropout.png", "overfit_above")
    assert not [each for each in absent if each in section]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        # values are the study's in any order
        ({}, []),
        (
            {"epochs": 12, "l1_oc": [12], "train": {"seeds": [0, 1]}},
            ["epochs 12 (study: 100)", "l1_oc 12 (study: 64)", "2 seeds (study: 1)"],
        ),
        ({"augment": False}, ["augment no (study: yes)"]),
        ({"momentum": [0.0]}, ["momentum 0 (study: 0.9)"]),
        ({"batch_size": [16]}, ["batch_size 16 (study: 128)"]),
        # with two seeds it has as many runs as the study, and yet other ones
        (
            {"dropout_rate": [0.5], "train": {"seeds": [0, 1]}},
            ["dropout_rate 0.5 (study: 0.3 and 0.5)", "2 seeds (study: 1)"],
        ),
        (
            {"train": {"select_on": "validation", "validation_fraction": 0.1}},
            ["validation_fraction 0.1 (study: 0)"],
        ),
        # counts only where it is held out
        ({"train": {"select_on": "test", "validation_fraction": 0.1}}, []),
        ({"l1_oc": None}, ["l1_oc unknown (study: 64)"]),
        ({"net": "net5", "epochs": 1}, None),
    ],
)
def test_what_differs_from_the_studys_grid_is_listed(changed, found, grid):
    assert training.differences(grid(**changed)) == found


def test_of_several_grids_both_kinds_are_named(grid):
    found = training.published_sizes([grid(), grid("net3"), grid("net2"), grid("net5")])
    assert found.startswith(
        "At the published size: net4. Not at the published size: net3 and net2 "
    )
    assert training.published_sizes([grid("net5")]) == ""
    assert training.published_sizes([grid()]) == ""


def test_a_grid_of_the_published_size_says_so_and_is_not_a_departure(changed):
    baseline = {"train": {"seeds": [0]}, "net": OF_BASELINE}
    net2 = {"train": {"precision": "bf16"}, "net": OF_BASELINE}
    text = changed({"train/baseline/params.json": baseline, "train/net2/params.json": net2})
    assert "The published size: the study's own grid" in read.section(text, "baseline")
    departures = read.section(text, "departures")
    grids = read.under(departures, "The grids")
    assert "baseline" not in grids
    assert "net10" not in grids  # the study has no such network
    assert "net2: epochs 10 (study: 30), " in grids
    assert "float32 was usual then" in read.under(departures, "Half precision")


def test_departures_of_all_studies(text):
    departures = read.section(text, "departures")
    assert "entirely different ones (digits)" in read.under(departures, "The images")
    assert "baseline: epochs 2 (study: 10), " in read.under(departures, "The grids")
    assert read.under(departures, "Shuffled training images").endswith(UNKNOWN)
    assert "Half precision" not in departures


@pytest.mark.parametrize(
    ("found", "used", "said"),
    [
        ({"md5": "1"}, {}, "entirely different ones (unknown)"),
        ({"name": "cifar10", "md5": "0123"}, {}, "The archive (md5 0123) is not one of the two"),
        (
            {"name": "cifar10", "md5": OFFICIAL},
            {"data": {"train_images": 5000, "test_images": None}},
            f"Only the first 5,000 train images are taken. {UNKNOWN}",
        ),
        ({"name": "cifar10", "md5": OFFICIAL}, {}, None),
    ],
)
def test_other_images_are_a_departure(found, used, said, changed):
    files = {"download/dataset.json": found, "download/params.json": used}
    departures = changed(files, "departures")
    if said is None:
        assert "### The images" not in departures
    else:
        assert said in read.under(departures, "The images")


def test_each_way_of_testing_has_its_gain_in_points(text, reports):
    section, caption = read.section(text, "departures"), "Accuracy gained by the way of testing"
    # 0.75 on clean images, 0.625 on augmented ones, 0.65625 in training mode
    assert read.table(section, caption)[1:] == ["net10 | +12.50 | -3.12 | +9.38"]
    assert f"**{caption}** ([evaluate/protocols.csv](" in section
    content = f'net3,"{CLEAN}",0.5\nnet4,"{STUDY}",0.25\nnet4,"{CLEAN}",0.5\n'
    folders.replace(reports / "evaluate/protocols.csv", f"net,protocol,accuracy\n{content}")
    gains, _ = training.gains(Finished(reports, "evaluate"))
    assert gains.iloc[:, 1:].isna().to_numpy().tolist() == [[True] * 3, [True, True, False]]
    assert gains.iloc[1, 3] == 25


def test_without_augmented_networks_no_gain_was_measured(changed):
    section = changed({"evaluate/protocols.csv": "net,protocol,accuracy\n"}, "departures")
    testing = read.under(section, "Evaluation mode, clean test images")
    assert testing.endswith("Not measured: no network here was trained on augmented images.")


def test_best_and_last_epochs_have_their_intervals_and_differences(text):
    section = read.section(text, "selection")
    caption = "The best epoch on the test images, and the last of the same run"
    assert read.table(section, caption)[2] == (
        "net10 | 2 | 4 | 2 | 1 | 91.67% | 90.00% | 93.00% | 87.50% | 4.17 | 3.50"
    )
    selected = read.under(section, "Selected on validation images")
    assert selected.startswith("Not measured: train.select_on is test. Set it to validation in")
    assert "and run `dvc repro`: every" in selected
    departures = read.words(read.section(text, "departures"))
    assert (
        'above the last by: <div class="facts"> - [net2](#selection) **0.25 points**<br>mean of '
        "2 runs - [net10](#selection) **3.50 points**<br>mean of 2 runs </div>"
    ) in departures


def test_what_validation_selected_is_a_table_of_its_own(changed):
    header = folders.EVALUATE["selection.csv"].splitlines()[0]
    added = ",chosen_run,chosen_epoch,chosen_accuracy,chosen_low,chosen_high,best_less_chosen"
    best = "1,2,1,2,0.5,0.4,0.6,0.5,0.4,0.6,0.0,0.25"
    content = (
        f"{header}{added},mean_best_less_chosen\nnet1,{best},,,,,,,\n"
        f"net2,{best},2.0,1.0,0.375,0.25,0.5,12.5,8.0\n"
    )
    text = changed({"evaluate/selection.csv": content})
    section = read.section(text, "selection")
    assert read.table(
        section, "The best epoch on the test images, and the one that validation images selected"
    )[1:] == [
        f"net1 | 1 | 2 | 50.00%{' | –' * 7}",  # noqa: RUF001
        "net2 | 1 | 2 | 50.00% | 2 | 1 | 37.50% | 25.00% | 50.00% | 12.50 | 8.00",
    ]
    assert "Not measured" not in section
    departures = read.words(read.section(text, "departures"))
    assert 'above the selected epoch by: <div class="facts"> - [net2](#selection)' in departures
    assert "**8.00 points**<br>mean of 1 run" in departures


def test_pairs_of_networks_have_a_p_value(text, changed):
    caption = "McNemar's test of each pair of networks"
    row = "net2 | net10 | 100 | 350 | -10.42 | < 0.001"
    assert read.table(read.section(text, "selection"), caption)[1:] == [row]
    header = folders.EVALUATE["mcnemar.csv"].splitlines()[0]
    section = changed({"evaluate/mcnemar.csv": f"{header}\n"}, "selection")
    assert caption not in section
    assert "There is one network" in section


def test_the_studys_sample_is_compared_with_all_images(text, changed):
    words = read.under(read.section(text, "departures"), "The table by class")
    # the study's cat: 70 percent in its table, 790 of 1,000 in its matrix
    assert "in some class it is 9.0 points off its own confusion matrix" in words
    assert "takes 76. For net10, whose accuracy no other network exceeds" in words
    # 12.5 and 6.25 points off
    assert f"are 9.4 points off on average and up to 12.5 (class {folders.EVIL})." in words
    header = folders.EVALUATE["class_sample.csv"].splitlines()[0]
    content = f"{header}\nnet1,cat,0,,0.5,\nnet1,dog,2,0.5,0.25,25.0\n"
    section = changed({"evaluate/class_sample.csv": content}, "departures")
    words = read.under(section, "The table by class")
    assert "are 25.0 points off on average and up to 25.0 (class dog). 1 class has no" in words
