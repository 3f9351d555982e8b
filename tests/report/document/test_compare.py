"""Tables next to the study's: the literals are its printed numbers, subtracted by hand."""

import re

import pytest
from tests.report.document import folders, read

from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.report.document import columns, page
from convscope.report.document.compare import every_table
from convscope.report.document.text import OFFICIAL_ARCHIVES, DataSet
from convscope.study import published

NO = "–"  # noqa: RUF001
STUDYS = DataSet("cifar10", OFFICIAL_ARCHIVES[0])
CLASSES = "plane,car,bird,cat,deer,dog,frog,horse,ship,truck"
NOT_IDENTIFIED = "do not identify the rows of a table"
EVERY = "caption: every number published"


@pytest.fixture
def compare(tmp_path):
    def run(source, content, data=STUDYS, **style):
        folders.replace(tmp_path / f"{source}.csv", content)
        folder, name = source.rsplit("/", 1)
        return page._table(data, Finished(tmp_path, folder), name, "caption", **style)

    return run


# a table's name, its file, and what is shown of it, with the notes
COMPARED = """
train/net1/by_l1_oc_filter_multiplier
l1_oc,filter_multiplier,test_accuracy,loss
6,2.0,0.5,1.0
18,2.0,0.25,1.5
24,2.0,0.75,1
=> l1_oc | Filter multiplier | Test accuracy | Test accuracy, published |
    Test accuracy, difference (points) | Loss
6 | 2.0 | 50.00% | 47.07% | +2.93 | 1.0000
18 | 2.0 | 25.00% | 54.47% | -29.47 | 1.5000
24 | 2.0 | 75.00% | – | – | 1.0000
=> Not measured, of the study's rows: l1_oc 6, filter multiplier 1.5; l1_oc 12,
    filter multiplier 1.5; l1_oc 12, filter multiplier 2; l1_oc 18, filter multiplier 1.5.

train/net2/by_l1_oc
l1_oc,test_accuracy
8,0.5
16,0.5
=> l1_oc | Test accuracy
8 | 50.00%
16 | 50.00%
=> The study has other rows, which were not measured: l1_oc 18, 32, 64.

train/net1/best
run,test_accuracy,train_accuracy
1,0.75,0.5
=> Run | Test accuracy | Test accuracy, published | Test accuracy, difference (points) |
    Train accuracy | Train accuracy, published | Train accuracy, difference (points)
1 | 75.00% | 67.04% | +7.96 | 50.00% | 75.47% | -25.47
=> The study's best has epoch 12, l1_oc 18, filter multiplier 2, kernel size 3, stride 1.

train/net4/overfit_above
test_accuracy_above,epochs,overfit_percent
0.88,12,7.13
=> Test accuracy above | Epochs | Overfit (points) | Overfit (points), published |
    Overfit (points), difference
88.00% | 12 | 7.13 | 8.13 | -1.00
=>

train/net4/overfit_above
test_accuracy_above,epochs,overfit_percent
0.88,0,
=> Test accuracy above | Epochs | Overfit (points) | Overfit (points), published |
    Overfit (points), difference
88.00% | 0 | – | 8.13 | –
=>

train/net4/overfit_above
test_accuracy_above,epochs,overfit_percent,study_epochs,study_overfit_percent
0.88,12,7.13,3,9.13
=> Test accuracy above | Epochs | Overfit, the study's way (points) |
    Overfit, the study's way (points), published | Overfit, the study's way (points), difference |
    Overfit (points) | Epochs, the study's way
88.00% | 12 | 9.13 | 8.13 | +1.00 | 7.13 | 3
=> HOW

train/net3/by_l1_oc
l1_oc,loss,test_accuracy,overfit_percent,study_accuracy,study_overfit_percent,total_parameters
32,0.5,0.5,0.0,0.75,2.0,100
=> l1_oc | Loss | Test accuracy, the study's way | Test accuracy, the study's way, published |
    Test accuracy, the study's way, difference (points) | Test accuracy |
    Overfit, the study's way (points) | Overfit (points) | Parameters
32 | 0.5000 | 75.00% | 78.05% | -3.05 | 50.00% | 2.00 | 0.00 | 100
=> HOW
Not measured, of the study's rows: l1_oc 64, 96.

train/net4/best_study
run,epoch,train_accuracy,test_accuracy,study_accuracy
1,9,0.96714,0.9,0.75
=> Run | Epoch | Train accuracy | Train accuracy, published | Train accuracy, difference (points) |
    Test accuracy, the study's way | Test accuracy, the study's way, published |
    Test accuracy, the study's way, difference (points) | Test accuracy
1 | 9 | 96.71% | 96.71% | +0.00 | 75.00% | 88.74% | -13.74 | 90.00%
=> HOW
The study's best has epoch 91, l1_oc 64, dropout rate 0.3.

evaluate/best
net,test_accuracy,study_accuracy,best_study_accuracy
net1,0.5,0.5,0.5
net3,0.5,,
=> Net | Highest, the study's way | Highest, the study's way, published |
    Highest, the study's way, difference (points) | Test accuracy | Test accuracy, the study's way
net1 | 50.00% | 67.04% | -17.04 | 50.00% | 50.00%
net3 | – | 87.50% | – | 50.00% | –
=> HOW
Not measured, of the study's rows: net net2, net4.

filter-identify/class_frequency
filter,7,max_class
conv1/0,20,7
=> Filter | 7 | Commonest class
conv1/0 | 20 | 7
=> The study counts other classes.

filter-ablation/class_accuracy
class,before_percent,after_percent,drop_points
7,80,60,20
overall,89,85,4
=> Class | Before | After | Drop (points)
7 | 80.00% | 60.00% | 20.00
overall | 89.00% | 85.00% | 4.00
=> The study has other rows, which were not measured: class plane, car, bird, cat, deer, dog, frog,
    horse, ship, truck.
"""  # noqa: RUF001


@pytest.mark.parametrize("block", COMPARED.strip().split("\n\n"))
def test_only_what_the_study_has_too_is_compared(compare, block):
    named, rows, notes = re.split(r"\n=> ?", block.replace("\n    ", " "))
    source, content = named.split("\n", 1)
    found = compare(source, f"{content}\n", notes=["first"])
    assert read.table(found, "caption") == rows.splitlines()
    told = [page._ITS_WAY if note == "HOW" else note for note in notes.splitlines()]
    assert read.notes(found, "caption") == ["first", *told]
    assert read.captions(found) != ["caption"]


def test_a_table_that_the_study_has_not_stays_as_it_is(compare):
    found = compare("train/net10/by_l1_oc", "l1_oc,test_accuracy\n18,0.5\n")
    assert read.table(found, "caption") == ["l1_oc | Test accuracy", "18 | 50.00%"]
    assert (read.notes(found, "caption"), read.captions(found)) == ([], ["caption"])


def test_numbers_of_other_images_stand_alone(compare):
    content = "kernel_size,test_accuracy\n3,0.5\n"
    found = compare("train/net1/by_kernel_size", content, DataSet("digits"))
    assert read.table(found, "caption") == ["Kernel size | Test accuracy", "3 | 50.00%"]
    assert (read.notes(found, "caption"), read.captions(found)) == ([], ["caption"])


def test_the_numbers_of_a_run_lead_to_its_row_of_all_runs(compare):
    runs = compare("train/net2/runs", "run,test_accuracy\n7,0.5\n")
    assert '| <a id="net2-run-7"></a>7 | 50.00% |' in runs
    best = compare("train/net2/best", "run,test_accuracy,train_accuracy\n7,0.5,0.5\n")
    assert "| [7](#net2-run-7) | 50.00% |" in best
    chosen = compare("evaluate/selection", "net,run,chosen_run\nnet1,3,\nnet2,7,8\n")
    assert "| net1 | [3](#net1-run-3) | – |" in chosen  # noqa: RUF001
    assert "| net2 | [7](#net2-run-7) | [8](#net2-run-8) |" in chosen


def test_classes_are_compared_by_name_with_their_total(compare):
    header = "class,before_percent,after_percent,drop_points\n"
    found = compare(
        "filter-ablation/class_accuracy", f"{header}cat,80.0,60.0,20.0\noverall,89.0,85.0,4.0\n"
    )
    assert read.table(found, "caption")[2] == (
        "overall | 89.00% | 89.86% | -0.86 | 85.00% | 86.94% | -1.94 | 4.00 | 2.92 | +1.08"
    )
    # the matrix has 790 cats of 1,000 right, the printed table 70 percent
    printed = read.table(found, "caption: as the study printed it, of 316 images")
    assert "cat | Before | 79.00% | 80.00% | +1.00 points" in read.table(found, EVERY)
    assert "cat | Before | 70.00% | 80.00% | +10.00 points" in printed
    assert "overall | After | 86.94% | 85.00% | -1.94 points" in printed


def test_words_have_no_difference_and_filters_of_a_number_are_not_the_same_filters(compare):
    found = compare(
        "filter-identify/class_frequency",
        f"filter,{CLASSES},max_class\nconv1/0,0,0,0,20,0,0,0,0,0,0,cat\n",
        classes=columns.COUNT,
    )
    head, row = read.table(found, "caption")
    assert head.endswith(" | Commonest class | Commonest class, published")
    assert row.split(" | ")[-2] == "cat"
    assert "learns other filters" in read.notes(found, "caption")[-1]


@pytest.mark.parametrize(
    ("source", "content", "why"),
    [
        ("train/net2/by_l1_oc", "l1_oc,test_accuracy\n18,0.5\n18,0.25\n", NOT_IDENTIFIED),
        ("train/net2/by_l1_oc", "test_accuracy\n0.5\n", "it has no column l1_oc"),
        ("train/net2/best", "test_accuracy,train_accuracy\n", NOT_IDENTIFIED),
    ],
)
def test_a_table_whose_rows_cannot_be_identified_is_damaged(compare, source, content, why):
    with pytest.raises(UserError, match=rf"{source}\.csv is damaged \(.*{why}"):
        compare(source, content)


def test_each_number_of_the_study_has_a_row_measured_or_not(compare):
    content = "l1_oc,loss,test_accuracy,overfit_percent\n64,0.5,0.75,10.0\n"
    found = compare("train/net2/by_l1_oc", content)
    assert f"<details><summary>{EVERY}</summary>\n\n[train/net2/by_l1_oc.csv](" in found
    head, *rows = read.table(found, EVERY)
    assert head == "l1_oc | Number | Published | Measured | Difference"
    assert len(rows) == 3 * 5
    assert rows[0] == f"18 | Loss | 0.6644 | {NO} | {NO}"
    assert rows[10:] == [
        "64 | Loss | 0.4422 | 0.5000 | +0.0578",
        f"64 | Train accuracy | 84.14% | {NO} | {NO}",
        "64 | Test accuracy | 66.34% | 75.00% | +8.66 points",
        "64 | Overfit (points) | 18.67 | 10.00 | -8.67",
        f"64 | Parameters | 5,719,038 | {NO} | {NO}",
    ]


def test_what_was_measured_as_the_study_did_comes_first_of_its_numbers(compare):
    content = "dropout_rate,test_accuracy,study_accuracy\n0.3,0.5,0.75\n"
    rows = read.table(compare("train/net4/by_dropout_rate", content), EVERY)
    assert rows[3:5] == [
        "0.3 | Test accuracy, the study's way | 85.11% | 75.00% | -10.11 points",
        "0.3 | Test accuracy | 85.11% | 50.00% | -35.11 points",
    ]
    assert not [row for row in rows if "Overfit, the study's way" in row]  # not measured


def test_the_study_s_tables_alone_have_each_number_once():
    for name, table, _ in every_table():
        assert not {"study_accuracy", "study_overfit_percent"} & {*table}
        assert "best_study" not in name


def test_the_best_run_has_no_key_and_all_its_numbers(compare):
    content = "run,epoch,l1_oc,test_accuracy\n2,90,12,0.5\n"
    assert {
        "Run | 1 | 2 | –",  # noqa: RUF001
        "l1_oc | 64 | 12 | -52",
        "Test accuracy | 88.74% | 50.00% | -38.74 points",
        "Seconds of an epoch | 84.4099 | – | –",  # noqa: RUF001
    } <= {*read.table(compare("train/net4/best", content), EVERY)}


def test_the_best_by_the_usual_way_is_not_set_against_the_study_s(compare, tmp_path):
    content = "run,epoch,l1_oc,test_accuracy,study_accuracy\n2,90,12,0.5,0.4\n"
    folders.replace(tmp_path / "train/net4/best_study.csv", content)
    found = compare("train/net4/best", content)
    assert "published" not in found
    assert "88.74" not in found
    assert "88.74" in compare("train/net4/best_study", content)


def test_a_confusion_matrix_is_shown_as_published_and_subtracted(compare):
    measured = published.table("filter-ablation/confusion_after")
    measured.loc[0, "plane"] += 1000
    found = compare("filter-ablation/confusion_after", measured.to_csv(index=False))
    assert read.table(found, "caption: published")[1].startswith("plane | 860 | 2 | ")
    apart = read.table(found, "caption: measured minus published")
    assert apart[1].startswith("plane | +1,000 | +0 | ")


def test_the_classes_of_filters_are_subtracted_for_the_filters_of_the_study(compare):
    rows = published.table("filter-identify/class_frequency").to_csv(index=False)
    found = compare("filter-identify/class_frequency", rows)
    theirs = read.table(found, "caption: published")
    assert theirs[3] == "conv2/0 | 0 | 0 | 1 | 9 | 1 | 5 | 4 | 0 | 0 | 0"
    _, *apart = read.table(found, "caption: measured minus published")
    assert {cell for row in apart for cell in row.split(" | ")[1:]} == {"+0"}


@pytest.mark.parametrize("content", ["true,7,8\n7,1,0\n8,0,1\n", f"true,{CLASSES}\n"])
def test_other_classes_leave_the_published_matrix_alone(compare, content):
    found = compare("filter-ablation/confusion_before", content)
    assert read.captions(found) == ["caption", "caption: published"]


def test_values_are_printed_as_in_any_table(compare):
    content = "l1_oc,test_accuracy,test_accuracy_std\n32,0.8,0.1\n"
    found = compare("train/net3/by_l1_oc", content)
    assert read.table(found, "caption")[1] == "32 | 80.00% ± 10.00% | 78.05% | +1.95"
    assert "standard deviation of the seeds' own means" in read.notes(found, "caption")[0]
