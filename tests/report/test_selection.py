import pytest

from convscope.report import selection
from convscope.report.document import Code, Table, Text
from convscope.report.reading import Folder
from tests.report import folders

VALIDATED = (
    "net,runs,choices,run,epoch,test_accuracy,low,high,last_accuracy,last_low,last_high,"
    "best_less_last,mean_best_less_last,chosen_run,chosen_epoch,chosen_accuracy,chosen_low,"
    "chosen_high,best_less_chosen,mean_best_less_chosen\n"
    "net1,1,2,1,2,0.5,0.4,0.6,0.5,0.4,0.6,0.0,0.25,,,,,,,\n"
    "net2,1,2,1,2,0.5,0.4,0.6,0.5,0.4,0.6,0.0,0.25,2.0,1.0,0.375,0.25,0.5,12.5,8.0\n"
)


@pytest.fixture
def folder(reports):
    return Folder(reports, "evaluate", "evaluate")


def parts(folder, kind):
    return [part for part in selection.section(folder).parts if isinstance(part, kind)]


def shown(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def texts(folder):
    return " ".join(part.text for part in parts(folder, Text))


def test_best_and_last_epochs_have_their_intervals_and_differences(folder):
    best, _ = parts(folder, Table)
    assert shown(best)[1] == [
        *("net10", "2", "4", "2", "1", "91.67%", "90.00%", "93.00%"),
        *("87.50%", "4.17", "3.50"),
    ]


def test_without_validation_it_says_how_to_measure_it(folder):
    text = "".join(texts(folder))
    assert "Not measured: train.select_on is test." in text
    assert "Set it to validation in params.yaml and run `dvc repro`" in text


def test_what_validation_chose_is_a_table_of_its_own(folder, reports):
    folders.replace(reports / "evaluate/selection.csv", VALIDATED)
    best, chosen, _ = parts(folder, Table)
    assert len(best.columns) == 11
    assert shown(chosen) == [
        ["net1", "1", "2", "50.00%", *["–"] * 7],  # noqa: RUF001
        ["net2", "1", "2", "50.00%", "2", "1", "37.50%", "25.00%", "50.00%", "12.50", "8.00"],
    ]
    assert "Not measured" not in texts(folder)
    assert not parts(folder, Code)


def test_pairs_of_networks_have_a_p_value(folder, reports):
    assert shown(parts(folder, Table)[-1]) == [["net2", "net10", "100", "350", "-10.42", "< 0.001"]]
    header = "net,other,only_first,only_second,difference_points,p_value\n"
    folders.replace(reports / "evaluate/mcnemar.csv", f"{header}net2,net10,3,1,1.0,0.625\n")
    assert shown(parts(folder, Table)[-1])[0][-1] == "0.625"
    folders.replace(reports / "evaluate/mcnemar.csv", header)
    assert len(parts(folder, Table)) == 1
    assert "There is one network" in texts(folder)
