import shutil

import pandas as pd
import pytest

from convscope.base.errors import UserError
from convscope.report.document import Facts, Figure, Files, Table, Text
from tests.report import folders


def section(reports, name):
    return next(each for each in folders.document(reports).sections if each.id == name)


def tables(reports, name):
    return [part for part in section(reports, name).parts if isinstance(part, Table)]


def table(reports, name, source):
    return next(each for each in tables(reports, name) if each.source.endswith(source))


def texts(reports, name):
    return [part.text for part in section(reports, name).parts if isinstance(part, Text)]


def shown(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_sections_come_in_the_studys_order_and_net2_before_net10(reports):
    assert [each.id for each in folders.document(reports).sections] == [
        "summary",
        "claims",
        "data",
        "baseline",
        "train-net2",
        "train-net10",
        "evaluation",
        "selection",
        "occlusion",
        "filter-ablation",
        "filter-identification",
        "departures",
        "reproduce",
    ]


def test_the_summary_has_the_headline_numbers(reports):
    facts = [
        (fact.label, fact.value, *fact.details)
        for part in section(reports, "summary").parts
        if isinstance(part, Facts)
        for fact in part.facts
    ]
    assert facts == [
        ("net2", "81.25%", "95% interval 80.00% to 82.50%", "62,006 parameters"),
        ("net10", "91.67%", "95% interval 90.00% to 93.00%", "4,403,518 parameters"),
        (
            "Confidence under a 9 × 9 window",  # noqa: RUF001
            "0.375",
            "0.750 without a window",
            "means of 2 images",
        ),
        ("Accuracy with 3 filters zeroed", "50.00%", "91.67% before"),
        ("Dead filters", "1 of 2", "conv2/1"),
    ]
    about, chosen = texts(reports, "summary")
    assert "5,400 training and 2,400 test images of 2 classes. net10 is the best" in about
    assert "on the test images" in chosen


def test_networks_that_share_the_highest_accuracy_are_all_the_best(reports):
    path = reports / "evaluate/best.csv"
    table_of_best = pd.read_csv(path)
    table_of_best["test_accuracy"] = 0.91666666
    table_of_best.to_csv(path, index=False)
    assert "net2 and net10 are the best, each with 91.67% of" in texts(reports, "summary")[0]
    best = table(reports, "evaluation", "evaluate/best.csv")
    assert [row.role for row in best.rows] == ["best", "best"]


def test_a_grid_tells_what_it_varies_and_what_it_shares(reports):
    *_, extent = texts(reports, "train-net2")
    assert extent == (
        "2 runs of 2 epochs on unchanged training images. Varied: learning rate 0.01, 0.001. "
        "The same for all: batch size 128; l1_oc 6; seed 0."
    )
    best = table(reports, "train-net2", "best.csv")
    assert [column.name for column in best.columns][-2:] == ["total_parameters", "lr"]


def test_tables_by_setting_follow_the_study_and_mark_the_best(reports):
    found = [each for each in tables(reports, "train-net2") if "published" not in each.caption]
    assert [each.caption for each in found[2:]] == ["By epoch", "By learning rate", "By l1_oc"]
    assert [row.role for row in found[3].rows] == ["plain", "best"]
    assert shown(found[3])[1] == ["0.01", "1.5000", "50.00%", "37.50%", "1.00", "62,006"]


def test_long_tables_are_cut_and_linked(reports):
    wrong = table(reports, "evaluation", "misclassified.csv")
    assert [row.cells[0].text for row in wrong.rows] == [str(image) for image in range(10)]
    assert wrong.notes == ("The file lists all 12.",)


def test_window_sizes_become_columns_in_their_own_order(reports):
    fall = next(t for t in tables(reports, "occlusion") if t.caption == "Mean accuracy, surveyed")
    assert [column.label for column in fall.columns] == ["Class", "No window", "3 × 3"]  # noqa: RUF001
    assert shown(fall) == [["all", "95.00%", "85.00%"], [folders.EVIL, "65.00%", "55.00%"]]
    maps = section(reports, "occlusion").parts[-1]
    assert isinstance(maps, Files)
    assert [path for _, path in maps.files] == [
        "occlusion/deepest_by_position.csv",
        "occlusion/by_image.csv",
        "occlusion/map_3.csv",
        "occlusion/map_13.csv",
    ]


def test_the_overall_accuracy_stays_last(reports):
    found = table(reports, "filter-ablation", "class_accuracy.csv")
    assert [row.role for row in found.rows] == ["plain", "plain", "total"]
    assert shown(found)[1:] == [
        [folders.PIPED, "80.25%", "40.12%", "40.12"],
        ["overall", "85.00%", "60.00%", "25.00"],
    ]


def test_sections_on_a_reduced_network_say_so(reports):
    for name in ("claims", "evaluation"):
        assert any("Not at the published size: " in text for text in texts(reports, name))
    assert texts(reports, "train-net2")[1].startswith(
        "Not the published size: epochs 2 (study: 30)"
    )
    # the study has no net10
    assert "published size" not in " ".join(texts(reports, "occlusion"))
    for stage in ("occlusion", "filter-ablation", "filter-identify"):
        used = {"analysis": {"net": "net2"}}
        if stage == "filter-ablation":
            used["filter_ablation"] = {"filters": {"conv1": [0]}}
        folders.replace(reports / stage / "params.json", used)
    for name in ("occlusion", "filter-ablation", "filter-identification"):
        assert "Not at the published size: net2 (see there)" in texts(reports, name)[1]


def test_dead_filters_are_named_in_words(reports):
    assert any(
        text.startswith("Dead is conv2/1:") for text in texts(reports, "filter-identification")
    )
    responses = reports / "filter-identify/responses.csv"
    folders.replace(responses, "filter,layer,mean,max,dead\nconv1/0,conv1,1.0,2.0,False\n")
    assert any(
        text.startswith("No filter is dead") for text in texts(reports, "filter-identification")
    )


def test_parameters_are_listed_by_dotted_key_and_empty_ones_left_out(reports):
    data, download, *_ = tables(reports, "reproduce")
    assert shown(data) == [
        ["name", "digits"],
        ["url", "https://host/a?b=1&c=2"],
        ["fingerprint", "f"],
    ]
    assert shown(download) == [["data.source", "digits"], ["data.train_images", "all"]]


def test_what_the_data_has_not_is_left_out(reports):
    (reports / "evaluate/protocols.png").unlink()
    folders.replace(reports / "evaluate/protocols.csv", "net,protocol,accuracy\n")
    folders.replace(reports / "filter-ablation/between_groups.csv", "true,predicted,before,after\n")
    folders.replace(reports / "filter-ablation/newly_misclassified.csv", "image,true,predicted\n")
    folders.replace(reports / "evaluate/misclassified.csv", "image,true,predicted,confidence\n")
    parts = [part for each in folders.document(reports).sections for part in each.parts]
    sources = {part.source for part in parts if isinstance(part, Table | Figure)}
    assert not {name for name in sources if "protocols" in name or "misclassified" in name}
    assert "filter-ablation/between_groups.csv" not in sources
    assert "No test image went from right to wrong." in texts(reports, "filter-ablation")
    assert "net10 gets no test image wrong." in texts(reports, "evaluation")


@pytest.mark.parametrize(
    ("folder", "stage"),
    [
        ("download", "download"),
        ("train/baseline", "baseline"),
        ("train", "baseline"),
        ("evaluate", "evaluate"),
        ("occlusion", "occlusion"),
        ("filter-ablation", "filter-ablation"),
        ("filter-identify", "filter-identify"),
    ],
)
def test_a_stage_that_has_not_run_is_named(reports, folder, stage):
    shutil.rmtree(reports / folder)
    with pytest.raises(UserError, match=f"{folder} .*run `convscope {stage}`"):
        folders.document(reports)


def test_a_table_without_rows_has_no_best(reports):
    folders.replace(reports / "evaluate/best.csv", "net,test_accuracy\n")
    with pytest.raises(UserError, match=r"best\.csv is damaged \(it has no rows\)"):
        folders.document(reports)


def test_a_report_folder_that_is_being_made_is_no_network(reports):
    (reports / "train/.net3.partial").mkdir()
    assert "train-.net3.partial" not in {each.id for each in folders.document(reports).sections}


@pytest.mark.parametrize(
    "name",
    [
        *("download/class_counts", "train/baseline/best", "train/baseline/layers", "evaluate/best"),
        *("evaluate/selection", "evaluate/class_accuracy", "occlusion/by_image"),
        *("occlusion/by_window", "occlusion/by_class", "occlusion/fall_with_window"),
        *("occlusion/deepest_by_window", "filter-ablation/atlas", "filter-ablation/atlas_depth"),
        *("filter-ablation/atlas_by_layer", "filter-ablation/atlas_halves"),
        *("filter-identify/responses", "filter-identify/class_frequency"),
    ],
)
def test_a_table_that_lost_its_rows_is_the_user_s_to_put_right(name, reports):
    path = reports / f"{name}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(UserError, match=rf"{path.name} is damaged .* run `convscope"):
        folders.document(reports)
