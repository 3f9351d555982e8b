"""The report of folders that lack something, or hold what no stage writes."""

import shutil

import pytest
from tests.report.document import folders

from convscope.base.errors import UserError

STAGES = "download train/baseline evaluate occlusion filter-ablation filter-identify"


@pytest.mark.parametrize("folder", [*STAGES.split(), "train"])
def test_a_stage_that_has_not_run_is_named(reports, changed, folder):
    shutil.rmtree(reports / folder)
    stage = "baseline" if folder == "train" else folder.removeprefix("train/")
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


FILLED = """
download/class_counts train/baseline/best train/baseline/layers train/net2/by_lr evaluate/best
evaluate/selection evaluate/class_accuracy occlusion/by_image occlusion/by_window occlusion/by_class
occlusion/fall_with_window occlusion/deepest_by_window filter-ablation/atlas
filter-ablation/atlas_depth filter-ablation/atlas_by_layer filter-ablation/atlas_halves
filter-ablation/class_accuracy filter-identify/responses filter-identify/class_frequency
"""


@pytest.mark.parametrize("name", FILLED.split())
def test_a_table_that_lost_its_rows_is_the_users_to_put_right(name, reports, changed):
    with pytest.raises(UserError, match=rf"{name}\.csv is damaged .* run `convscope"):
        changed({f"{name}.csv": folders.header_of(reports, name)})


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("filter-identify/responses.csv", "filter,dead\na,maybe\n", "responses.csv is damaged"),
        ("occlusion/by_class.csv", "class,window,mean_confidence\na,3,1\na,3,1\n", "several rows"),
        ("evaluate/protocols.csv", "net,protocol,accuracy\na,b,1\na,b,1\n", "several rows"),
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
