"""Tables beside the study's: the literals are its printed numbers, subtracted by hand."""

import pytest

from convscope.base.errors import UserError
from convscope.report import comparison
from convscope.report.document import Section, Table
from convscope.report.images import OFFICIAL_ARCHIVES, Images
from convscope.report.reading import Folder
from tests.report import folders

NO = "–"  # noqa: RUF001
STUDYS = Images("cifar10", OFFICIAL_ARCHIVES[0])
LEGEND = "Differences are measured minus published"


@pytest.fixture
def compare(tmp_path):
    def run(source, content, images=STUDYS, last="plain"):
        folders.replace(tmp_path / f"{source}.csv", content)
        folder, name = source.rsplit("/", 1)
        sheet = Folder(tmp_path, folder, folder).sheet(name)
        table = sheet.table("caption", marked={len(sheet.rows) - 1: last}, notes=["first"])
        section = Section("id", "title", (table,))
        found, *_ = comparison.compared(section, images, tmp_path).parts
        assert isinstance(found, Table)
        return found

    return run


def texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_a_grids_points_that_the_study_has_get_its_test_accuracy(compare):
    found = compare(
        "train/net1/by_l1_oc_filter_multiplier",
        "l1_oc,filter_multiplier,test_accuracy,loss\n6,2.0,0.5,1.0\n18,2.0,0.25,1.5\n24,2.0,0.75,1\n",
    )
    assert [column.label for column in found.columns] == [
        "l1_oc",
        "Filter multiplier",
        "Test accuracy",
        "Test accuracy, published",
        "Test accuracy, difference (points)",
        "Loss",
    ]
    assert texts(found) == [
        ["6", "2.0", "50.00%", "47.07%", "+2.93", "1.0000"],
        ["18", "2.0", "25.00%", "54.47%", "-29.47", "1.5000"],
        ["24", "2.0", "75.00%", NO, NO, "1.0000"],
    ]
    assert found.notes == (
        "first",
        f"{LEGEND}.",
        "Not measured, of the study's rows: l1_oc 6, filter multiplier 1.5; l1_oc 12, filter "
        "multiplier 1.5; l1_oc 12, filter multiplier 2; l1_oc 18, filter multiplier 1.5.",
    )


def test_added_columns_sort_by_the_exact_numbers(compare):
    found = compare("train/net1/by_kernel_size", "kernel_size,test_accuracy\n3,0.5\n")
    published, difference = found.rows[0].cells[2:]
    assert float(published.value) == 0.488661
    assert float(difference.value) == pytest.approx(0.011339, abs=1e-12)
    assert all(column.numeric for column in found.columns)


def test_a_grid_without_a_common_point_gets_a_note_only(compare):
    found = compare("train/net2/by_l1_oc", "l1_oc,test_accuracy\n8,0.5\n16,0.5\n")
    assert [column.name for column in found.columns] == ["l1_oc", "test_accuracy"]
    assert found.notes == (
        "first",
        "The study has other rows, which were not measured: l1_oc 18, 32, 64.",
    )


def test_the_best_run_is_compared_whatever_its_settings_and_the_studys_are_named(compare):
    found = compare("train/net1/best", "run,test_accuracy,train_accuracy\n1,0.75,0.5\n")
    assert texts(found) == [["1", "75.00%", "67.04%", "+7.96", "50.00%", "75.47%", "-25.47"]]
    assert found.notes[2] == (
        "The study's best has epoch 12, l1_oc 18, filter multiplier 2, kernel size 3, stride 1."
    )


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("0.88,12,7.13", ["88.00%", "12", "7.13", "8.13", "-1.00"]),
        ("0.88,0,", ["88.00%", "0", NO, "8.13", NO]),
    ],
)
def test_overfit_is_compared_and_published_even_where_no_epoch_is_accurate(compare, row, shown):
    found = compare(
        "train/net4/overfit_above", f"test_accuracy_above,epochs,overfit_percent\n{row}\n"
    )
    assert texts(found) == [shown]


def test_other_images_are_named(compare):
    content = "kernel_size,test_accuracy\n3,0.5\n"
    found = compare("train/net1/by_kernel_size", content, Images("digits"))
    assert found.notes[1] == f"{LEGEND}; published are of CIFAR-10, the others of digits."
    found = compare("train/net1/by_kernel_size", content, Images("cifar10", "0123"))
    assert found.notes[1] == (
        f"{LEGEND}; published are of CIFAR-10, the others of CIFAR-10 (not an official archive)."
    )


def test_classes_are_compared_by_name_with_their_total(compare):
    header = "class,before_percent,after_percent,drop_points\n"
    found = compare(
        "filter-ablation/class_accuracy",
        f"{header}cat,80.0,60.0,20.0\noverall,89.0,85.0,4.0\n",
        last="total",
    )
    overall = ["overall", "89.00%", "89.86%", "-0.86", "85.00%", "86.94%", "-1.94"]
    assert texts(found)[1] == [*overall, "4.00", "2.92", "+1.08"]
    assert found.rows[1].role == "total"
    other = compare(
        "filter-ablation/class_accuracy", f"{header}7,80,60,20\noverall,89,85,4\n", last="total"
    )
    assert len(other.columns) == 4
    assert other.notes[1].startswith(
        "The study has other rows, which were not measured: class plane, car, bird,"
    )


def test_other_classes_are_not_counted_beside_the_studys(compare):
    found = compare("filter-identify/class_frequency", "filter,7,max_class\nconv1/0,20,7\n")
    assert len(found.columns) == 3
    assert found.notes == ("first", "The study counts other classes.")


def test_words_have_no_difference_and_filters_of_a_number_are_no_same_filters(compare):
    classes = "plane,car,bird,cat,deer,dog,frog,horse,ship,truck"
    found = compare(
        "filter-identify/class_frequency",
        f"filter,{classes},max_class\nconv1/0,0,0,0,20,0,0,0,0,0,0,cat\n",
    )
    assert [column.label for column in found.columns][-2:] == [
        "Commonest class",
        "Commonest class, published",
    ]
    assert texts(found)[0][-2] == "cat"
    assert found.notes[1] == "Published is the study's."
    assert "learns other filters" in found.notes[-1]


def test_tables_that_the_study_has_not_stay_as_they_are(compare):
    found = compare("train/net10/by_l1_oc", "l1_oc,test_accuracy\n18,0.5\n")
    assert (len(found.columns), found.notes) == (2, ("first",))


@pytest.mark.parametrize(
    ("source", "content", "why"),
    [
        ("train/net2/by_l1_oc", "l1_oc,test_accuracy\n18,0.5\n18,0.25\n", "rows of a table apart"),
        ("train/net2/by_l1_oc", "test_accuracy\n0.5\n", "it has no column l1_oc"),
        ("train/net2/best", "test_accuracy,train_accuracy\n", "rows of a table apart"),
    ],
)
def test_a_table_whose_rows_are_not_told_apart_is_damaged(compare, source, content, why):
    with pytest.raises(UserError, match=rf"{source}\.csv is damaged \(.*{why}"):
        compare(source, content)
