"""Every published number: the literals are the study's, subtracted by hand."""

import io

import pandas as pd
import pytest

from convscope.report import beside
from convscope.report.document import Table
from convscope.study import published

NO = "–"  # noqa: RUF001
CLASSES = "plane,car,bird,cat,deer,dog,frog,horse,ship,truck"


def every(name, content):
    shown = Table("By something", f"{name}.csv", (), ())
    return beside.every_number(shown, name, pd.read_csv(io.StringIO(content)))


def texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_each_number_of_the_study_has_a_row_measured_or_not():
    (table,) = every(
        "train/net2/by_l1_oc", "l1_oc,loss,test_accuracy,overfit_percent\n64,0.5,0.75,10.0\n"
    )
    assert table.folded
    assert table.caption == "By something: every number published"
    assert table.source == "train/net2/by_l1_oc.csv"
    labels = ["l1_oc", "Number", "Published", "Measured", "Difference"]
    assert [column.label for column in table.columns] == labels
    assert len(table.rows) == 3 * 5
    assert texts(table)[0] == ["18", "Loss", "0.6644", NO, NO]
    assert texts(table)[10:] == [
        ["64", "Loss", "0.4422", "0.5000", "+0.0578"],
        ["64", "Train accuracy", "84.14%", NO, NO],
        ["64", "Test accuracy", "66.34%", "75.00%", "+8.66 points"],
        ["64", "Overfit (points)", "18.67", "10.00", "-8.67"],
        ["64", "Parameters", "5,719,038", NO, NO],
    ]


def test_the_best_run_has_no_key_and_all_its_numbers():
    (table,) = every("train/net4/best", "run,epoch,l1_oc,test_accuracy\n2,90,12,0.5\n")
    rows = {row[0]: row[1:] for row in texts(table)}
    assert rows["Run"] == ["1", "2", NO]
    assert rows["l1_oc"] == ["64", "12", "-52"]
    assert rows["Test accuracy"] == ["88.74%", "50.00%", "-38.74 points"]
    assert rows["Seconds of an epoch"] == ["84.4099", NO, NO]


def test_the_class_table_is_there_as_printed_too():
    content = "class,before_percent,after_percent,drop_points\ncat,80.0,60.0,20.0\n"
    whole, printed = every("filter-ablation/class_accuracy", content)
    # the matrix has 790 cats of 1,000 right, the printed table 70 percent
    assert ["cat", "Before", "79.00%", "80.00%", "+1.00 points"] in texts(whole)
    assert ["cat", "Before", "70.00%", "80.00%", "+10.00 points"] in texts(printed)
    assert ["overall", "After", "86.94%", NO, NO] in texts(printed)
    assert "of 316 images" in printed.caption


def test_a_confusion_matrix_is_shown_as_published_and_subtracted():
    measured = published.table("filter-ablation/confusion_after")
    measured.loc[0, "plane"] += 1000
    theirs, apart = every("filter-ablation/confusion_after", measured.to_csv(index=False))
    assert texts(theirs)[0][:3] == ["plane", "860", "2"]
    assert texts(apart)[0][:3] == ["plane", "+1,000", "+0"]
    assert theirs.folded
    assert apart.folded


def test_the_classes_of_filters_are_subtracted_for_the_filters_of_the_study():
    rows = published.table("filter-identify/class_frequency")
    theirs, apart = every("filter-identify/class_frequency", rows.to_csv(index=False))
    assert texts(theirs)[2] == ["conv2/0", "0", "0", "1", "9", "1", "5", "4", "0", "0", "0"]
    assert {cell.text for row in apart.rows for cell in row.cells[1:]} == {"+0"}


@pytest.mark.parametrize("content", ["true,7,8\n7,1,0\n8,0,1\n", f"true,{CLASSES}\n"])
def test_other_classes_leave_the_published_matrix_alone(content):
    (theirs,) = every("filter-ablation/confusion_before", content)
    assert theirs.caption.endswith("published")


def test_other_keys_leave_nothing_measured():
    (table,) = every("train/net2/by_l1_oc", "width,test_accuracy\n64,0.5\n")
    assert {row[3] for row in texts(table)} == {NO}
