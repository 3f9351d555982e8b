"""What the report says of the data, the grids, the best runs and how they are tested."""

import re
from dataclasses import asdict, replace

import pandas as pd
import pytest
from tests import toys
from tests.report.document import folders, read

from convscope.base.names import CLEAN, STUDY
from convscope.base.report_folder import Finished
from convscope.data.augment import Augmentation
from convscope.evaluation import history_tables
from convscope.nets import layer_table, zoo
from convscope.nets.layers import Conv, Flatten, Linear, Norm, Pool, ReLU
from convscope.report.document import page, training

COMMON = {"momentum": [0.9], "stride": [1]}
NONE = asdict(Augmentation())
STRENGTHS = asdict(replace(toys.AUGMENTED, hue=0.0))
FIRST = {"epochs": 10, "augment": NONE, "lr": [0.01, 0.001], "batch_size": [128, 256, 512]}
OF_BASELINE = FIRST | {"l1_oc": [6], "filter_multiplier": [2.67], "kernel_size": [5]} | COMMON
DEEP = {"epochs": 100, "augment": STRENGTHS, "lr": [0.01], "batch_size": [128], "kernel_size": [3]}
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
    order = ["2 runs of 2 epochs", "runs.csv", "network.png", "layers.csv", "best.csv"]
    order.append("by_epoch.csv")
    places = [section.index(each) for each in [*order, "by_lr.csv", "by_l1_oc.csv", "curves.png"]]
    assert places == sorted(places)
    best = read.table(section, "The run and epoch with the highest test accuracy")
    # net2's best is compared with the study's
    assert best[0].endswith(" | Parameters | Learning rate")


def test_a_network_that_the_study_does_not_have_is_introduced_by_its_layers(text, grid):
    sentence = "The study does not have this network: 1 convolution (5x5) of 6 filters"
    assert sentence in read.section(text, "train-net10").replace("\\", "")
    assert "does not have this network" not in read.section(text, "train-net2")
    folder = grid("net5")
    made = [Conv(4, 3, padding=1), Norm(), ReLU(), Pool(), Conv(8, 5), Flatten(), Linear(10)]
    folders.replace(folder.path / "layers.csv", layer_table.table(made).to_csv(index=False))
    assert training.made_of(folder) == (
        "The study does not have this network: 2 convolutions (3x3 and 5x5) of 4 and 8 filters, "
        "batch normalization after 1, 1 pooling, 1 fully connected layer."
    )
    layers = layer_table.table(zoo.layers("net3", l1_oc=4)).to_csv(index=False)
    deeper = grid("net6")
    folders.replace(deeper.path / "layers.csv", layers)
    assert training.made_of(deeper).endswith(
        "4 convolutions (3x3) of 4, 8, 16 and 32 filters, batch normalization after each, "
        "2 poolings, 3 fully connected layers, dropout before each."
    )
    assert training.made_of(grid("net4")) == ""


def test_seeds_of_its_own_are_a_grids_seeds(grid):
    assert training.seeds(grid(seeds=[0, 1, 2, 3])) == [0, 1, 2, 3]
    assert training.extent(grid(seeds=[0, 1])).startswith("4 runs of 100 epochs")


def test_tables_by_setting_follow_the_study_and_what_was_measured_is_shown(changed):
    # seeds that are 0.25 off their mean: the root of 2 x 0.0625 / (2 - 1)
    rows = {name: [0, 0] for name in toys.HISTORY}
    history = pd.DataFrame(rows | {"test_accuracy": [0.25, 0.75], "seed": [0, 1], "l1_oc": 18})
    files = {
        "by_dropout_rate.csv": "dropout_rate,test_accuracy\n0.3,0.8\n0.5,0.85\n",
        "by_l1_oc.csv": history_tables.of_net("net2", history)["by_l1_oc"].to_csv(index=False),
        "dropout.png": folders.PNG,
        "overfit_above.csv": ("test_accuracy_above,epochs,overfit_percent\n0.88,0,\n0.8,2,7.125\n"),
        "params.json": {"train": {"seeds": [0], "select_on": "validation"}, "net": folders.GRID},
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


def test_the_best_by_the_study_s_way_comes_before_the_usual_best(changed, text):
    header = f"run,epoch,{folders.HISTORY},study_accuracy,study_overfit_percent,{folders.POINT}"
    rows = {
        "best": "1,2,1.25,0.5,0.75,0.0,9,0.25,25.0",
        "best_study": "2,1,1.5,0.5,0.625,0,9,0.5,0",
    }
    files = {f"{name}.csv": f"{header}\n{row},0.01,128,6,0\n" for name, row in rows.items()}
    files["overfit_above.csv"] = (
        "test_accuracy_above,epochs,overfit_percent,study_epochs,study_overfit_percent\n"
        "0.88,2,7.5,0,\n"
    )
    files["dropout.png"] = folders.PNG
    files = {f"train/net10/{name}": content for name, content in files.items()}
    section = read.section(changed(files), "train-net10")
    caption = "The run and epoch with the highest test accuracy"
    own, usual = f"{caption}, the study's way", f"{caption}, in evaluation mode on clean images"
    assert [each for each in read.captions(section) if each.startswith(caption)] == [own, usual]
    assert "50.00%" in read.table(section, own)[1]
    ours = "The study's way of testing: in training mode (dropout on"
    for each in (own, usual, "Mean overfit of all epochs with a high test accuracy"):
        assert [note for note in read.notes(section, each) if note.startswith(ours)]
    none = "By the study's way of testing no epoch has a test accuracy above 88.00%."
    assert none in read.words(section)
    assert "dashed is training mode on augmented images" in section
    # a grid that was not augmented says nothing of it
    assert "the study's way" not in read.section(text, "train-net2")


def test_a_grid_that_several_kinds_of_processors_trained_says_so(changed, text):
    told = "Its runs were computed on several kinds of processors"
    assert told not in text
    mixed = folders.MADE_FROM | {"computed_on": ["a GPU", "x86_64, AuthenticAMD, avx2"]}
    section = changed({"train/net2/made_from.json": mixed}, "train-net2")
    assert f"{told}, whose numbers differ in their last digits: a GPU; x86" in section


def test_a_single_seed_has_no_standard_deviation_and_what_was_not_drawn_is_not_shown(text):
    section = read.section(text, "train-net10")
    absent = ("standard deviation", "dropout.png", "overfit_above")
    assert not [each for each in absent if each in section]


HELD_OUT = {"select_on": "validation", "validation_fraction": 0.1}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        # values are the study's in any order
        ({}, ""),
        ({"epochs": 12, "l1_oc": [12]}, "epochs 12 (study: 100), l1_oc 12 (study: 64)"),
        ({"augment": STRENGTHS | {"flip": 0.0}}, "augment.flip 0 (study: 0.5)"),
        ({"momentum": [0.0]}, "momentum 0 (study: 0.9)"),
        ({"batch_size": [16]}, "batch_size 16 (study: 128)"),
        ({"dropout_rate": [0.5]}, "dropout_rate 0.5 (study: 0.3 and 0.5)"),
        # several seeds are no other size
        ({"train": {"seeds": [0, 1]}}, ""),
        ({"train": HELD_OUT}, "validation_fraction 0.1 (study: 0)"),
        # counts only where it is held out
        ({"train": HELD_OUT | {"select_on": "test"}}, ""),
        ({"l1_oc": None}, "l1_oc unknown (study: 64)"),
    ],
)
def test_what_differs_from_the_studys_grid_is_listed(changed, found, grid):
    assert training.differences(grid(**changed)) == re.findall(r"\w.*?\)", found)
    assert training.differences(grid("net5", **changed)) is None


@pytest.mark.parametrize(
    ("taken", "found"),
    [
        ({"train_images": None, "test_images": None}, []),
        ({"train_images": 50_000, "test_images": 10_000}, []),
        ({"train_images": 5_000}, ["data.train_images 5000 (study: 50000)"]),
        ({"test_images": 500}, ["data.test_images 500 (study: 10000)"]),
    ],
)
def test_a_part_of_the_images_is_not_the_studys_size(taken, found, grid):
    folder = grid()
    folders.replace(folder.reports / "download/params.json", {"data": taken})
    assert training.differences(folder) == found


def test_of_several_grids_both_kinds_are_named(grid):
    found = training.published_sizes([grid(), grid("net3"), grid("net2"), grid("net5")])
    names, _ = found.split(" (see there)")
    assert names == "At the published size: net4. Not at the published size: net3 and net2"
    assert training.published_sizes([grid("net5")]) == ""
    assert training.published_sizes([grid()]) == ""


def test_a_grid_of_the_published_size_says_so_and_is_not_a_departure(changed):
    baseline = {"train": {"seeds": [0]}, "net": OF_BASELINE}
    net2 = {"train": {"precision": "bf16"}, "net": OF_BASELINE}
    text = changed({"train/baseline/params.json": baseline, "train/net2/params.json": net2})
    assert "The published size: the study's own grid, epochs and images." in read.section(
        text, "baseline"
    )
    departures = read.section(text, "departures")
    grids = read.under(departures, "The grids")
    assert "baseline" not in grids
    assert "net10" not in grids  # the study has no such network
    assert "net2: epochs 10 (study: 30), " in grids
    assert "float32 was usual then" in read.under(departures, "Half precision")


def test_each_way_of_testing_has_its_gain_in_points(changed):
    content = f'net3,"{CLEAN}",0.5\nnet4,"{STUDY}",0.25\nnet4,"{CLEAN}",0.5\n'
    section = changed({"evaluate/protocols.csv": f"net,protocol,accuracy\n{content}"}, "departures")
    rows = ["net3 | – | – | –", "net4 | – | – | +25.00"]  # noqa: RUF001
    assert read.table(section, "Accuracy gained by the way of testing")[1:] == rows


def test_what_the_study_s_code_does_is_measured_where_it_can_be(finished, changed):
    caption = "What two habits of the study's code would change"
    section = read.section(page.render(finished, ()), "departures")
    assert read.table(section, caption)[1:] == ["net10 | no jitter | 65.62% | 68.75% | 3.12"]
    # 4.17 points between the best epoch and the last of the analyzed network
    assert "That epoch of net10 is 4.17 points above the last one of its run." in section
    without = changed(
        {"evaluate/departures.csv": "net,departure,without,with,gain_points\n"}, "departures"
    )
    assert caption not in without
    assert "no network here was trained on augmented images" in read.under(
        without, "What the study's code does"
    )


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


def test_a_single_network_is_compared_with_none(changed):
    header = folders.EVALUATE["mcnemar.csv"].splitlines()[0]
    section = changed({"evaluate/mcnemar.csv": f"{header}\n"}, "selection")
    assert "McNemar" not in section
    assert "There is one network" in section
