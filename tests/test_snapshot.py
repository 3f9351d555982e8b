import json
from pathlib import Path

import pytest

from convscope import snapshot
from convscope.errors import UserError

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
    "reports/baseline/grid/history.csv": "run\n",
    "reports/baseline/grid/runs/a/history.csv": "epoch\n",
    "models/README.md": "what is here",
    "models/net1/history.csv": "run\n",
    "models/net1/best.json": "{}",
    "models/net1/runs/a/best.safetensors": "weights",
    "models/net1/runs/a/run.json": json.dumps({"fingerprint": "fa"}),
    "models/net1/runs/b/run.json": json.dumps({"fingerprint": "fb"}),
    "reports/baseline/grid/runs/a/run.json": json.dumps({"fingerprint": "elsewhere"}),
    "logs/timings.csv": (
        "stage,run,fingerprint,seconds,device\n"
        "train@net1,a,fa,10.000,cpu\n"
        "train@net1,b,fb,5.500,cpu\n"
        "train@net1,c,of an earlier study,100.000,cpu\n"
        "train@net1,,s,12.000,cpu\n"
        "train@net1,a,fa,20.250,cpu\n"
        "train@net1,,s,3.500,cpu\n"
        "train@net1,,s"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_keeps_results_and_leaves_weights_maps_and_pages(project: Path) -> None:
    kept = snapshot.keep(project, project / "docs" / "mine")
    assert sorted(map(str, kept)) == [
        "about.json",
        "models/net1/best.json",
        "models/net1/history.csv",
        "params.yaml",
        "reports/baseline/grid/history.csv",
        "reports/claims.json",
        "reports/download/dataset.json",
        "reports/evaluate/best.csv",
        "reports/occlusion/maps.png",
        "reports/report.md",
    ]
    copy = project / "docs" / "mine" / "reports" / "report.md"
    assert copy.read_text(encoding="utf-8") == "# report"


def test_says_where_and_how_long_it_ran(project: Path) -> None:
    said = snapshot.about(project)
    assert said["data"] == {"name": "digits", "md5": "m"}
    assert said["stage_seconds"] == {"train@net1": 3.5}  # the last time counts
    assert (said["training_runs"], said["timed_training_runs"]) == (3, 2)
    assert said["training_run_seconds"] == 25.8
    assert said["versions"]["torch"]
    assert said["machine"]["cores"] >= 1


def test_nothing_of_an_earlier_snapshot_stays(project: Path) -> None:
    target = project / "docs" / "mine"
    snapshot.keep(project, target)
    (target / "reports" / "old.csv").write_text("old", encoding="utf-8")
    snapshot.keep(project, target)
    assert not (target / "reports" / "old.csv").exists()


def test_a_folder_of_something_else_is_left_alone(project: Path) -> None:
    with pytest.raises(UserError, match="holds something else"):
        snapshot.keep(project, project / "models")
    assert (project / "models" / "net1" / "history.csv").is_file()


def test_without_a_report_there_is_nothing_to_keep(project: Path) -> None:
    (project / "reports" / "report.md").unlink()
    with pytest.raises(UserError, match="run `dvc repro` first"):
        snapshot.keep(project, project / "docs" / "mine")
    assert not (project / "docs").exists()


def test_without_timings_durations_are_unknown(project: Path) -> None:
    (project / "logs" / "timings.csv").unlink()
    assert snapshot.about(project)["stage_seconds"] == {}
