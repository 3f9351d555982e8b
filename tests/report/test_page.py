"""What the report says of a finished study, section by section."""

import re
import shutil
from urllib.parse import unquote

import pytest

from convscope.base.errors import UserError
from convscope.study import claims
from tests.report import folders, read


def header_of(reports, name):
    return (reports / f"{name}.csv").read_text().splitlines()[0] + "\n"


def test_sections_come_in_the_studys_order_and_net2_before_net10(text):
    assert re.findall(r'^## .* <a id="(.*)"></a>$', text, re.M) == [
        *("summary", "claims", "data", "baseline", "train-net2", "train-net10", "evaluation"),
        *("selection", "occlusion", "filter-ablation", "filter-identification", "departures"),
        "reproduce",
    ]


def test_the_summary_has_the_headline_numbers(text):
    text = read.section(text, "summary")
    assert read.words("".join(text.partition("- [")[1:])).split("</div>")[:2] == [
        "- [net2](#train-net2) **81.25%**<br>95% interval 80.00% to 82.50%<br>62,006 parameters - "
        "[net10](#train-net10) **91.67%**<br>95% interval 90.00% to 93.00%<br>4,403,518 "
        "parameters ",
        ' <div class="facts"> - [Confidence under a 9 × 9 window](#occlusion) '  # noqa: RUF001
        "**0.375**<br>0.750 without a window<br>means of 2 images - [Accuracy with 3 filters "
        "zeroed](#filter-ablation) **60.00%**<br>85.00% before - [Dead filters]"
        "(#filter-identification) **1 of 2**<br>conv2/1 ",
    ]
    words = read.words(text)
    assert "5,400 training and 2,400 test images of 2 classes. net10 is the best" in words
    assert "selected by its accuracy on the test images" in words


def test_networks_that_share_the_highest_accuracy_are_all_the_best(changed):
    best = folders.EVALUATE["best.csv"].replace("0.81246", "0.91666666")
    text = changed({"evaluate/best.csv": best})
    assert "net2 and net10 are the best, each with 91.67% of" in read.words(text)
    _, *rows = read.table(text, "The best run of every network")
    assert all(cell.startswith("**") for row in rows for cell in row.split(" | "))


def test_long_tables_are_cut_and_linked(text):
    _, *rows = read.table(text, "The surest mistakes")
    assert [row.split(" | ")[0] for row in rows] == [str(image) for image in range(10)]
    assert read.notes(text, "The surest mistakes") == ["The file lists all 12."]


def test_sections_on_a_reduced_network_say_so(text, changed):
    for name in ("claims", "evaluation"):
        assert "Not at the published size: " in read.section(text, name)
    assert "\nNot the published size: epochs 2 (study: 30)" in read.section(text, "train-net2")
    # the study has no net10
    analyses = ("occlusion", "filter-ablation", "filter-identification")
    assert not any("published size" in read.section(text, name) for name in analyses)
    used = {"analysis": {"net": "net2"}, "filter_ablation": {"filters": {"conv1": [0]}}}
    stages = ("occlusion", "filter-ablation", "filter-identify")
    text = changed({f"{stage}/params.json": used for stage in stages})
    for name in analyses:
        assert "Not at the published size: net2 (see there)" in read.section(text, name)


def test_parameters_are_listed_by_dotted_key_and_empty_ones_left_out(text):
    assert read.table(text, "The data set")[1:] == [
        "name | digits",
        "url | https://host/a?b=1&c=2",
        "fingerprint | f",
    ]
    parameters = ["data.source | digits", "data.train_images | all"]
    assert read.table(text, "Parameters of download")[1:] == parameters
    assert "net.augment | no" in read.table(text, "Parameters of baseline")
    assert "net.lr | 0.01, 0.001" in read.table(text, "Parameters of train net2")


def test_what_the_data_has_not_is_left_out(reports, changed):
    (reports / "evaluate/protocols.png").unlink()
    absent = ["evaluate/protocols", "evaluate/misclassified", "filter-ablation/between_groups"]
    absent += ["filter-ablation/newly_misclassified"]
    files = {f"{name}.csv": header_of(reports, name) for name in absent}
    text = changed(files)
    assert not re.search(r"\]\(.*(protocols|misclassified|between_groups)", text)
    assert "No test image went from right to wrong." in text
    assert "net10 gets no test image wrong." in text


def test_every_file_is_linked_and_every_link_leads_to_a_file(text, finished):
    linked = {unquote(path) for path in re.findall(r"\]\(([^)#]+)\)", text)}
    files = {path.relative_to(finished).as_posix() for path in finished.rglob("*.*")}
    # the stage writes the claims next to the page
    assert linked - files == {"claims.json"}
    # metrics.json holds what the page shows elsewhere
    assert {path for path in files - linked if not path.endswith("metrics.json")} == set()


def test_the_same_folders_give_the_same_text_without_a_path_of_this_machine(text, reports, changed):
    assert changed({}, claims=claims.judge(reports)) == text
    assert str(reports.parent.parent) not in text


@pytest.mark.parametrize(
    ("folder", "stage"),
    [
        ("download", "download"),
        ("train/baseline", "baseline"),
        ("train", "baseline"),
        *((each, each) for each in ("evaluate", "occlusion", "filter-ablation", "filter-identify")),
    ],
)
def test_a_stage_that_has_not_run_is_named(reports, changed, folder, stage):
    shutil.rmtree(reports / folder)
    with pytest.raises(UserError, match=f"{folder}.* is missing: run `convscope {stage}`"):
        changed({})


def test_without_a_network_one_is_asked_for_and_a_folder_that_is_being_made_is_none(
    reports, changed
):
    (reports / "train/.net3.partial").mkdir()
    assert "net3.partial" not in changed({})
    for name in ("net2", "net10"):
        shutil.rmtree(reports / "train" / name)
    with pytest.raises(UserError, match="has no network: run `convscope train net1`"):
        changed({})


@pytest.mark.parametrize(
    "name",
    [
        *("download/class_counts", "train/baseline/best", "train/baseline/layers", "evaluate/best"),
        *("train/net2/by_lr", "evaluate/selection", "evaluate/class_accuracy"),
        *("occlusion/by_image", "occlusion/by_window", "occlusion/by_class"),
        *("occlusion/fall_with_window", "occlusion/deepest_by_window", "filter-ablation/atlas"),
        *("filter-ablation/atlas_depth", "filter-ablation/atlas_by_layer"),
        *("filter-ablation/atlas_halves", "filter-ablation/class_accuracy"),
        *("filter-identify/responses", "filter-identify/class_frequency"),
    ],
)
def test_a_table_that_lost_its_rows_is_the_users_to_put_right(name, reports, changed):
    with pytest.raises(
        UserError, match=rf"{name.split('/')[-1]}\.csv is damaged .* run `convscope"
    ):
        changed({f"{name}.csv": header_of(reports, name)})


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("train/net2/params.json", "[1]", "params.json is damaged"),
        ("download/dataset.json", "[]", "dataset.json is damaged"),
        ("filter-identify/responses.csv", "filter,dead\na,maybe\n", "responses.csv is damaged"),
        ("occlusion/by_class.csv", "class,window,mean_confidence\na,3,1\na,3,1\n", "several rows"),
        ("evaluate/protocols.csv", "net,protocol,accuracy\na,b,1\na,b,1\n", "several rows"),
        ("filter-ablation/params.json", '{"filter_ablation": {"filters": {"conv1": 1}}}', "type"),
        ("train/net2/params.json", '{"train": 7, "net": {}}', "its train is not a mapping"),
        ("train/net2/params.json", '{"train": {"seeds": 7}, "net": {}}', "train.seeds is of"),
        ("train/net2/params.json", '{"train": {}, "net": {"lr": 0.1}}', "net.lr is of the wrong"),
        ("train/net2/params.json", '{"train": {}, "net": {"epochs": "x"}}', "net.epochs is of"),
        ("occlusion/params.json", '{"analysis": {"net": 4}}', "analysis.net is of the wrong type"),
        ("occlusion/params.json", '{"occlusion": {"images": []}}', "occlusion.images is of"),
        ("evaluate/best.csv", "net,run\na,1\n", "best.csv is damaged .it has no column test_acc"),
        ("train/net2/by_lr.csv", "lr,test_accuracy\n1,high\n", "by_lr.csv is damaged"),
        ("train/net2/by_lr.csv", "lr,test_accuracy,loss\n1,0.5,high\n", "column loss holds"),
    ],
)
def test_other_damage_is_the_users_to_put_right(name, content, why, changed):
    with pytest.raises(UserError, match=why):
        changed({name: content})
