import json
import re

import pytest
from dvc.utils.hydra import compose_and_dump
from ruamel.yaml import YAML
from tests import projects, toys
from tests.report.document import folders

from convscope.report.explorer import page
from convscope.stages import keep

HEADER = "stage,run,fingerprint,seconds,device\n"
FILES = {
    "params.yaml": "data: {source: digits}\n",
    "reports/README.md": "what is here",
    "reports/report.md": "# report",
    "reports/report.html": "<html>",
    "reports/claims.json": "{}",
    "reports/download/dataset.json": json.dumps({"name": "digits", "md5": "m", "url": "file:///x"}),
    "reports/evaluate/best.csv": "net\n",
    "reports/evaluate/predictions.csv": "image\n",
    "reports/occlusion/map_3.csv": "image\n",
    "reports/occlusion/maps.png": "png",
    "models/baseline/history.csv": "run\n",
    "models/baseline/runs/a/history.csv": "epoch\n",
    "models/README.md": "what is here",
    "models/net1/history.csv": "run\n",
    "models/net1/best.json": "{}",
    "models/net1/runs/a/best.safetensors": "weights",
    "models/net1/runs/a/run.json": json.dumps({"fingerprint": "fa"}),
    "models/net1/runs/b/run.json": json.dumps({"fingerprint": "fb"}),
    "models/baseline/runs/a/run.json": json.dumps({"fingerprint": "elsewhere"}),
    "logs/timings.csv": (
        f"{HEADER}"
        "train@net1,a,fa,10.000,cpu\n"
        "train@net1,b,fb,5.500,cpu\n"
        "train@net1,c,of an earlier study,100.000,cpu\n"
        "train@net1,,s,12.000,cpu\n"
        "train@net1,a,fa,20.250,cpu\n"
        "train@net1,,s,3.500,cpu\n"
        "train@net1,,s"
    ),
}

MINE = "docs/mine"
ANALYSES = ("occlusion", "filter_ablation", "filter_identify")
# the keys of data that its stage's params.json has
COUNTED = ("source", "train_images", "test_images")


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        folders.replace(tmp_path / name, text)
    return tmp_path


def refused(project, folder=MINE):
    """The line with which nothing is kept; all stays as it was."""
    before = projects.snapshot(project)
    message = toys.refusal(keep.keep, project, project / folder)
    assert projects.snapshot(project) == before
    return message


def test_keeps_results_and_leaves_weights_maps_and_pages(project):
    kept = keep.keep(project, project / MINE)
    assert sorted(map(str, kept)) == [
        "about.json",
        "models/baseline/history.csv",
        "models/net1/best.json",
        "models/net1/history.csv",
        "params.yaml",
        "reports/claims.json",
        "reports/download/dataset.json",
        "reports/evaluate/best.csv",
        "reports/occlusion/maps.png",
        "reports/report.md",
    ]
    assert (project / MINE / "reports/report.md").read_text() == "# report"


def test_links_of_the_report_to_what_is_not_kept_become_text(project):
    report = (
        "**A map** ([occlusion/map\\_3.csv](occlusion/map_3.csv))\n\n"
        "![Maps](occlusion/maps.png)\n\n"
        "- [evaluate/predictions.csv](evaluate/predictions.csv), [best](evaluate/best.csv), "
        "[with a space](evaluate/be%20st.csv), [DVC](https://dvc.org), [above](#top)\n"
    )
    (project / "reports/report.md").write_text(report)
    (project / "reports/evaluate/be st.csv").write_text("net\n")
    keep.keep(project, project / MINE)
    assert (project / MINE / "reports/report.md").read_text() == (
        "**A map** (occlusion/map\\_3.csv (not kept))\n\n"
        "![Maps](occlusion/maps.png)\n\n"
        "- evaluate/predictions.csv (not kept), [best](evaluate/best.csv), "
        "[with a space](evaluate/be%20st.csv), [DVC](https://dvc.org), [above](#top)\n"
    )
    assert (project / "reports/report.md").read_text() == report


def test_the_explorer_is_kept_and_leads_to_the_report_beside_it(project):
    text = '<p>It runs. <a href="report.html">The report</a></p> "report.html" 100 % é'
    folders.replace(project / "reports/explore.html", text)
    folders.replace(project / "reports/explore/images.csv", "image\n")
    folders.replace(project / "reports/other.html", text)
    kept = sorted(map(str, keep.keep(project, project / MINE)))
    assert [name for name in kept if "explore" in name] == [
        "reports/explore.html",
        "reports/explore/images.csv",
    ]
    assert "reports/other.html" not in kept
    found = (project / MINE / "reports/explore.html").read_text()
    assert found == text.replace('href="report.html"', 'href="report.md"')
    assert (project / "reports/explore.html").read_text() == text
    # a folder with the page is one that was kept, and is replaced
    (project / "reports/explore.html").unlink()
    assert keep.keep(project, project / MINE)
    assert not (project / MINE / "reports/explore.html").exists()


def test_the_link_that_is_rewritten_is_the_page_s(project):
    empty = {"net": "net4", "side": 32, "classes": [], "network": None}
    folders.replace(project / "reports/explore.html", page.render(empty, "Hello."))
    folders.replace(project / "reports/report.md", "See [the network](explore.html).")
    keep.keep(project, project / MINE)
    found = (project / MINE / "reports/explore.html").read_text()
    assert found == page.leading_to("report.md", page.render(empty, "Hello."))
    assert found.count('<a href="report.md">') == 1
    assert (project / MINE / "reports/report.md").read_text() == "See [the network](explore.html)."


def ran_with(project, data, study):
    """A params.yaml of these groups, with which all stages ran; its content."""
    path, conf = project / "params.yaml", str(projects.ROOT / "conf")
    compose_and_dump(path, conf, None, "config", "", [f"data={data}", f"study={study}"])
    params = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    shared = {key: params[key] for key in ("train", "analysis")}
    used = {
        "download": {"data": {k: v for k, v in params["data"].items() if k in COUNTED}},
        "evaluate": {"evaluate": params["evaluate"]},
        **{f"train/{n}": {"train": shared["train"], "net": v} for n, v in params["nets"].items()},
        **{a.replace("_", "-"): {"analysis": shared["analysis"], a: params[a]} for a in ANALYSES},
    }
    for name in ("filter_ablation", "filter_identify"):
        stated = {key: value for key, value in params[name].items() if key != "convolutions"}
        stated["filters"] = {f"conv{n}": [0, 1] for n in range(1, 6)}
        used[name.replace("_", "-")][name] = stated
    net = params["analysis"]["net"]
    best = {"net": net, "point": {"l1_oc": params["nets"][net]["l1_oc"][0]}}
    folders.replace(project / f"models/{net}/best.json", best)
    for stage, sections in used.items():
        if stage != "download":
            sections["kernels"] = params["kernels"]
        folders.replace(project / "reports" / stage / "params.json", sections)
        folders.replace(project / "reports" / stage / "made_from.json", folders.MADE_FROM)
    return params


@pytest.mark.parametrize("study", ["quick", "overnight", "published"])
@pytest.mark.parametrize("data", ["digits", "cifar10"])
def test_params_with_which_the_stages_ran_are_kept(data, study, project):
    ran_with(project, data, study)
    kept = keep.keep(project, project / MINE)
    assert len([path for path in kept if path.name == "params.json"]) == 10


@pytest.mark.parametrize(
    ("key", "value", "stage"),
    [
        ("data.train_images", 1000, "download"),
        ("train.threads", 2, "baseline"),
        ("nets.baseline.lr", [0.01], "baseline"),
        ("nets.net3.epochs", 7, "train@net3"),
        ("evaluate.seed", 1, "evaluate"),
        ("analysis.net", "net3", "filter-ablation"),
        ("occlusion.window_sizes", [3, 5, 7, 9], "occlusion"),
        ("filter_identify.filters", {"conv1": [0]}, "filter-identify"),
        ("filter_identify.filters", 3, "filter-identify"),
        ("nets.net1.seeds", [0, 1], "train@net1"),
    ],
)
def test_params_that_were_changed_since_are_refused(key, value, stage, project):
    section = params = ran_with(project, "cifar10", "published")
    *outer, last = key.split(".")
    for name in outer:
        section = section[name]
    section[last] = value
    projects.write_yaml(params, project / "params.yaml")
    message = refused(project)
    assert f"params.yaml: {key} is not what stage {stage} ran with" in message
    assert "run `dvc repro` first" in message


def test_a_network_that_was_taken_out_since_is_refused_and_another_place_of_data_is_not(project):
    params = ran_with(project, "cifar10", "overnight")
    params["data"]["archives"] = params["data"]["archives"][:1]
    projects.write_yaml(params, project / "params.yaml")
    assert keep.keep(project, project / MINE)
    del params["nets"]["net2"]
    projects.write_yaml(params, project / "params.yaml")
    assert "nets.net2.epochs is not what stage train@net2 ran" in refused(project)


@pytest.mark.parametrize("content", ["[]", '{"train": 3}', "{"])
def test_a_stage_s_damaged_params_are_named(content, project):
    folders.replace(project / "reports/train/net1/params.json", content)
    assert re.search("is damaged .* run `convscope train net1`", refused(project))


def test_says_where_and_how_long_it_ran(project):
    said = keep.about(project)
    assert said["data"] == {"name": "digits", "md5": "m"}
    assert said["stage_seconds"] == {"train@net1": 3.5}  # the last time counts
    assert (said["training_runs"], said["timed_training_runs"]) == (3, 2)
    assert said["training_seconds"] == {"train@net1": 25.75}
    assert said["versions"]["torch"]
    assert said["machine"]["cores"] >= 1


def test_nothing_of_an_earlier_snapshot_stays(project):
    keep.keep(project, project / MINE)
    old = project / MINE / "reports/old.csv"
    old.write_text("old")
    keep.keep(project, project / MINE)
    assert not old.exists()


@pytest.mark.parametrize(
    "files",
    [
        {"about.json": '{"name": "my blog"}', "thesis.tex": "x"},
        {"about.json": "[", "thesis.csv": "x"},
        {"about.json": '{"data": 1, "versions": 2, "stage_seconds": 3}', "thesis.tex": "x"},
        {"thesis.csv": "x"},
    ],
)
def test_a_folder_of_something_else_is_left_alone(project, files):
    for name, text in files.items():
        folders.replace(project / MINE / name, text)
    assert "is not a folder that `convscope keep` made" in refused(project)


@pytest.mark.parametrize("name", ["reports/mine", "models", "data/mine", "reports/new/mine"])
def test_a_folder_among_the_results_is_refused(project, name):
    assert "is among the results: name a folder outside" in refused(project, name)


def test_a_link_and_a_way_upwards_are_refused(project):
    keep.keep(project, project / "kept")
    (project / "link").symlink_to(project / "kept")
    for name in ("link", "new/.."):
        assert "name the folder itself" in refused(project, name)
    assert (project / "link").is_symlink()
    assert not (project / "new").exists()


@pytest.mark.parametrize(
    ("log", "seconds"),
    [
        (b"stage,run\nx,y\n", {}),
        (b"\xff\xfe\n", {}),
        (b"", {}),
        (None, {}),
        (f"{HEADER}occlusion,,a,nan,cpu\nreport,,b,2.5,cpu\n".encode(), {"report": 2.5}),
    ],
)
def test_lines_of_timings_that_are_missing_or_damaged_are_no_obstacle(log, seconds, project):
    path = project / "logs/timings.csv"
    path.unlink() if log is None else path.write_bytes(log)
    assert keep.about(project)["stage_seconds"] == seconds


def test_without_a_report_there_is_nothing_to_keep(project):
    (project / "reports/report.md").unlink()
    assert "run `dvc repro` first" in refused(project)
