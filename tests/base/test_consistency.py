import pytest

from convscope import cli
from convscope.base.consistency import require_consistent, require_made_from
from convscope.base.report_folder import Finished, MadeFrom
from convscope.stages import keep, report
from convscope.study.claims import terminal
from convscope.tracking import publishing
from tests import toys
from tests.report.document import folders

STAGES = {
    "download": {},
    "train/net1": {"net1": "a"},
    "train/net4": {"net4": "b"},
    "evaluate": {"net1": "a", "net4": "b"},
    "occlusion": {"net4": "b"},
}


def write(reports, **changes):
    """What stages were made from; ``changes`` replace the data set or the runs of some."""
    for stage, runs in STAGES.items():
        made_from = {"data": "d", "runs": runs} | changes.get(stage.replace("/", "_"), {})
        folders.replace(reports / stage / "params.json", "{}")
        folders.replace(reports / stage / "made_from.json", made_from)


def test_stages_that_were_made_from_one_another_pass(tmp_path):
    require_consistent(tmp_path)
    write(tmp_path)
    require_consistent(tmp_path)


@pytest.mark.parametrize(
    ("changes", "stage", "source"),
    [
        ({"download": {"data": "e"}}, "evaluate", "download"),
        ({"evaluate": {"data": "e"}}, "evaluate", "download"),
        ({"train_net4": {"data": "e"}}, "train net4", "download"),
        ({"train_net4": {"runs": {"net4": "c"}}}, "evaluate", "train/net4"),
        ({"occlusion": {"runs": {"net4": "c"}}}, "occlusion", "train/net4"),
        ({"train_net1": {"runs": {}}}, "evaluate", "train/net1"),
    ],
)
def test_the_first_stage_that_was_not_is_to_be_run_again(changes, stage, source, tmp_path):
    write(tmp_path, **changes)
    line = toys.refusal(require_consistent, tmp_path)
    assert f" was not made from what is in {tmp_path / source} now" in line
    assert f"run `convscope {stage}`" in line


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "e"},
        {"runs": {"net4": "c"}},
        {"runs": {}},
        {"runs": {"net4": "b", "net1": "a"}},
        {"runs": {"net1": "b"}},
    ],
)
def test_stages_of_another_data_set_or_model_than_is_here_are_to_be_run_again(changes, tmp_path):
    write(tmp_path)
    folders = [Finished(tmp_path, name) for name in ("occlusion", "evaluate")]
    # what computed is no reason
    source = MadeFrom("d", {"net4": "b"}, ["another processor"])
    require_made_from(folders[:1], source)
    write(tmp_path, evaluate={"runs": {"net4": "b"}}, occlusion=changes)
    fresh = [Finished(tmp_path, folder.name) for folder in reversed(folders)]
    line = toys.refusal(require_made_from, fresh, source)
    assert line.startswith(f"{tmp_path / 'occlusion'} was not made from the data set and the model")
    assert line.endswith("run `convscope occlusion` (or `dvc repro`)")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[]", "does not hold a mapping"),
        ("{}", "does not say"),
        ({"data": 3}, "does not say"),
        ({"data": "d", "runs": ["a"]}, "does not say"),
        ({"data": "d", "runs": {"net4": 3}}, "does not say"),
        ({"data": "d", "computed_on": [None]}, "does not say"),
        ({"data": "d", "why": ""}, "does not say"),
    ],
)
def test_a_file_that_does_not_say_it_is_damaged(content, why, tmp_path):
    write(tmp_path)
    folders.replace(tmp_path / "occlusion/made_from.json", content)
    line = toys.refusal(require_consistent, tmp_path)
    assert why in line
    assert "run `convscope occlusion`" in line


def test_without_the_file_the_stage_is_to_be_run(tmp_path):
    write(tmp_path)
    (tmp_path / "occlusion/made_from.json").unlink()
    assert "run `convscope occlusion`" in toys.refusal(require_consistent, tmp_path)


@pytest.mark.parametrize(
    "act",
    [
        report.run,
        lambda: terminal.run(cli.paths.REPORTS),
        lambda: keep.keep(cli.Path(), cli.Path("kept")),
        lambda: publishing.publish(cli.Path()),
    ],
    ids=["report", "claims", "keep", "publish"],
)
def test_nothing_is_made_of_a_mixture(act, here):
    folders.write(here / "reports")
    (here / "params.yaml").write_text("{}")
    for name in ("report.md", "report.html", "claims.json"):
        (here / "reports" / name).write_text("of before")
    for folder in (here / "reports").glob("**/params.json"):
        folder.write_text("{}")
    mixed = folders.MADE_FROM | {"data": "of yesterday"}
    folders.replace(here / "reports/filter-identify/made_from.json", mixed)
    folders.replace(here / "reports/filter-identify/metrics.json", "{}")
    before = sorted(here.rglob("*"))
    assert "run `convscope filter-identify`" in toys.refusal(act)
    assert sorted(here.rglob("*")) == before
