import pytest
from tests.tracking.conftest import DATASET

from convscope.base.errors import UserError
from convscope.tracking import finished
from convscope.tracking.records import grid_fingerprint


def test_a_grids_fingerprint_is_known_from_its_runs_in_any_order(folders):
    expected = grid_fingerprint(["point-0.1", "point-0.01"])
    assert finished.fingerprint(folders.root, "train@net1") == expected
    assert grid_fingerprint(["point-0.1"]) != expected


def test_an_analysis_fingerprint_follows_names_and_bytes_but_not_temporary_files(folders):
    before = finished.fingerprint(folders.root, "occlusion")
    folders.write("reports/occlusion/.maps.png.partial", "half")
    assert finished.fingerprint(folders.root, "occlusion") == before
    folders.write("reports/occlusion/maps.png", "another")
    assert finished.fingerprint(folders.root, "occlusion") != before


def test_only_finished_stages_are_listed_and_the_report_is_its_pages(folders):
    assert finished.finished_stages(folders.root) == ["occlusion", "train@net1"]
    pages = ["report.html", "report.md", "claims.json", "metrics.json"]
    for name in pages:
        folders.write(f"reports/{name}", {})
    assert finished.finished_stages(folders.root) == ["occlusion", "report", "train@net1"]
    assert [path.name for path, _ in finished.read_stage(folders.root, "report").files] == pages
    (folders.root / "models/net1/history.csv").unlink()
    assert finished.finished_stages(folders.root) == ["occlusion", "report"]


def test_an_unfinished_stage_is_refused(folders):
    (folders.root / "reports/occlusion/metrics.json").unlink()
    with pytest.raises(UserError, match=r"occlusion has not finished.*metrics\.json is missing"):
        finished.read_stage(folders.root, "occlusion")


def test_a_damaged_run_is_named_with_the_command_that_makes_it(folders):
    folders.write("models/net1/runs/lr=0.1/run.json", {"net": "net1"})
    with pytest.raises(UserError, match=r"run\.json is damaged .* run `convscope train net1`"):
        finished.fingerprint(folders.root, "train@net1")


def test_seconds_come_from_the_last_complete_row_with_the_same_fingerprint(folders):
    rows = ["lr=0.1,point-0.1,9.5,cpu", "lr=0.1,point-0.1,8.25,cpu", "lr=0.1,point-0.1,soon,cpu"]
    rows += ["lr=0.01,point-0.01,1"]
    table = "\n".join(["stage,run,fingerprint,seconds,device", *(f"train@net1,{r}" for r in rows)])
    folders.write("logs/timings.csv", table)
    points = finished.read_stage(folders.root, "train@net1").children
    assert [point.metrics.get("time/seconds") for point in points] == [None, 8.25]


def test_the_explorer_is_published_with_its_page_and_not_finished_without(folders):
    made_from = {"data": DATASET["fingerprint"], "runs": {"net1": "point-0.1"}}
    folders.write("reports/explore/params.json", {"analysis": {"net": "net1"}})
    folders.write("reports/explore/made_from.json", made_from)
    folders.write("reports/explore/images.csv", "image\n3\n")
    folders.write("reports/explore/metrics.json", {"images": 200, "kilobytes": 2305.269})
    assert "explore" not in finished.finished_stages(folders.root)
    with pytest.raises(UserError, match=r"explore has not finished.*explore\.html is missing"):
        finished.read_stage(folders.root, "explore")
    folders.write("reports/explore.html", "<p>A page</p>")
    assert "explore" in finished.finished_stages(folders.root)
    record = finished.read_stage(folders.root, "explore")
    names = ["explore.html", "images.csv", "made_from.json", "metrics.json", "params.json"]
    assert sorted(path.name for path, _ in record.files) == names
    assert record.metrics["explore/images"] == 200
    assert record.description == (
        "The best net1, live on a page: reports/explore.html. It shows 200 images."
    )
    reports = folders.root / "reports"
    assert finished.outputs(folders.root, "explore") == [
        reports / "explore",
        reports / "explore.html",
    ]
    folders.write("reports/explore.html", "<p>Another</p>")
    assert finished.fingerprint(folders.root, "explore") != record.fingerprint
