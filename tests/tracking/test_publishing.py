import datetime
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.toys import refusal
from tests.tracking.conftest import commit

from convscope.base.files import digest
from convscope.tracking.finished import fingerprint, read_stage
from convscope.tracking.ownership import project_id
from convscope.tracking.publishing import publish, publish_stages
from convscope.tracking.runs import StageRuns

MADE = {"data": "d" * 64, "runs": {"net1": "point-0.1"}}
JSON = ("params.json", "metrics.json", "made_from.json")


def publish_stage(project, stage):
    (published,) = publish_stages(project.root, [stage])
    return published


def test_a_point_holds_its_params_epochs_best_numbers_tables_and_weights_hash(project):
    publish(project.root)
    point = project.run("lr=0.1")
    settings = {"settings.epochs": "3", "settings.select_on": "null"}
    assert point.data.params == {"net": "net1", "lr": "0.1", **settings}
    project.assert_every_epoch_once(point, 0.1)
    best = {key: point.data.metrics[key] for key in point.data.metrics if key.startswith("best/")}
    numbers = {**project.epochs(0.1)[2], "total_parameters": 50677}
    assert best == {f"best/{key}": value for key, value in numbers.items()}
    assert project.artifacts(point) == {"run.json", "history.csv"}
    weights = project.root / "models/net1/runs/lr=0.1/best.safetensors"
    assert point.data.tags["weights_md5"] == digest(weights)


def test_a_training_stage_has_its_points_as_children_and_the_best_ones_numbers(project):
    publish(project.root)
    parent = project.run("train@net1")
    assert project.children(parent) == ["lr=0.01", "lr=0.1"]
    assert parent.data.params == {"lr": "[0.01, 0.1]", "train.epochs": "3"}
    assert parent.data.metrics["best/runs"] == 2
    assert parent.data.metrics["best/test_accuracy"] == project.epochs(0.1)[2]["test_accuracy"]
    assert project.artifacts(parent) == {*JSON, "curves.png", "models"}
    assert project.artifacts(parent, "models") == {"models/history.csv", "models/best.json"}


def test_an_analysis_is_one_run_with_its_numbers_pictures_and_data_set(project):
    (published, _) = publish(project.root)
    run = project.run("occlusion")
    assert published.run_id == run.info.run_id
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"occlusion/mean_confidence": 0.25}
    assert run.data.params["windows"] == "[3, 5]"
    assert run.data.params["note"] == "x" * 5997 + "..."
    assert project.artifacts(run) == {*JSON, "maps.png"}
    assert run.info.artifact_uri.startswith((project.root / "mlartifacts").as_uri())
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("digits", "d" * 36)
    assert json.loads(used.dataset.profile)["md5"] == "a" * 32


def test_tags_say_which_state_of_the_project_a_run_belongs_to(project, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "wide-nets")
    project.write("dvc.lock", "lock")
    head = commit(project.root, "dvc.lock")
    project.write("dvc.lock", "changed")
    (published, _) = publish(project.root)
    expected = {
        "stage": "occlusion",
        "fingerprint": published.fingerprint,
        "complete": "true",
        "dvc_experiment": "wide-nets",
        "git_commit": head,
        "git_dirty": "false",  # dvc.lock is recorded by itself
        "mlflow.source.git.commit": head,
    }
    tags = project.run("occlusion").data.tags
    assert expected.items() <= tags.items()
    assert "dvc_lock_md5" not in tags  # it does not record these results


def test_publishing_twice_leaves_one_run_each_and_changes_nothing(project):
    first = publish(project.root)
    before = project.all_runs()
    second = publish(project.root)
    after = project.all_runs()
    assert [entry.action for entry in first] == ["created", "created"]
    assert [entry.action for entry in second] == ["unchanged", "unchanged"]
    assert [entry.run_id for entry in first] == [entry.run_id for entry in second]
    assert [run.to_dictionary() for run in before] == [run.to_dictionary() for run in after]
    assert len(after) == 4


def test_a_partial_run_is_completed_with_no_epoch_twice(project):
    record = read_stage(project.root, "train@net1")
    runs = StageRuns(project.store, project.root, record)
    first = record.children[0]
    point = runs.run(first)
    point.log(replace(first, params={}, metrics={}, series={"epoch/loss": {2: 1.01}}))
    published = publish_stage(project, "train@net1")
    assert (published.run_id, published.action) == (runs.own.id, "completed")
    completed = project.run("lr=0.01")
    assert completed.info.run_id == point.id
    assert [step for step, _ in project.history(completed, "epoch/loss")] == [1, 2, 3]
    assert completed.data.tags["complete"] == "true"


def test_changed_results_are_a_new_run_and_the_old_one_stays(project):
    first = publish_stage(project, "occlusion")
    project.write("reports/occlusion/metrics.json", {"mean_confidence": 0.5})
    second = publish_stage(project, "occlusion")
    assert first.fingerprint != second.fingerprint
    assert len(project.runs("occlusion")) == 2


def test_a_redrawn_figure_replaces_the_artifact_of_a_trained_grid(project):
    first = publish_stage(project, "train@net1")
    project.write("reports/train/net1/curves.png", "a better picture")
    second = publish_stage(project, "train@net1")
    assert (second.run_id, second.action) == (first.run_id, "completed")
    folder = project.run("train@net1").info.artifact_uri.removeprefix("file://")
    assert (project.root / folder / "curves.png").read_text() == "a better picture"


def test_params_that_changed_without_the_results_are_in_a_tag(project):
    publish_stage(project, "train@net1")
    project.write("reports/train/net1/params.json", {"lr": [0.1, 0.01], "train": {"epochs": 3}})
    publish_stage(project, "train@net1")
    run = project.run("train@net1")
    assert run.data.params["lr"] == "[0.01, 0.1]"
    assert json.loads(run.data.tags["changed_params"]) == {"lr": "[0.1, 0.01]"}


def test_more_entries_than_one_request_may_hold(project):
    values = {f"key{i}": str(i) for i in range(250)}
    project.write("reports/occlusion/params.json", values)
    project.write("reports/occlusion/metrics.json", {key: int(values[key]) for key in values})
    publish_stage(project, "occlusion")
    run = project.run("occlusion")
    assert run.data.params == values
    assert run.data.metrics == {f"occlusion/{key}": float(value) for key, value in values.items()}


def test_two_publishers_at_once_make_no_doubles(project):
    with ThreadPoolExecutor(2) as pool:
        actions = [[p.action for p in done] for done in pool.map(publish, [project.root] * 2)]
    assert sorted(actions) == [["created", "created"], ["unchanged", "unchanged"]]
    for name in ("occlusion", "train@net1", "lr=0.01", "lr=0.1"):
        assert len(project.runs(name)) == 1


@pytest.mark.parametrize(
    ("name", "content", "stage"),
    [
        ("reports/download/made_from.json", {"data": "of today"}, "occlusion"),
        (
            "reports/occlusion/made_from.json",
            {"data": "d" * 64, "runs": {"net1": "b"}},
            "occlusion",
        ),
        ("models/net1/best.json", {"fingerprint": "of another machine"}, "train net1"),
    ],
    ids=["today's data set", "another run", "another model folder"],
)
def test_no_run_is_given_what_it_was_not_made_from(name, content, stage, project):
    project.write("reports/download/params.json", {})
    project.write("reports/download/made_from.json", {"data": "d" * 64})
    project.write(name, content)
    line = refusal(publish, project.root)
    assert f"run `convscope {stage}`" in line
    assert project.all_runs() == []


def test_a_run_says_who_made_it_how_and_what_it_is_of(project, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    project.write("reports/train/net1/made_from.json", {**MADE, "computed_on": ["any", "other"]})
    publish(project.root)
    parent, point = project.run("train@net1"), project.run("lr=0.1")
    assert (parent.info.user_id, point.info.user_id) == ("ann", "ann")
    tags = {"net": "net1", "data": "digits", "mlflow.source.name": "convscope train net1"}
    tags |= {"study": "changed", "project": project_id(project.root)}
    assert (tags | {"kind": "stage", "processor": "any, other"}).items() <= parent.data.tags.items()
    assert (tags | {"kind": "point"}).items() <= point.data.tags.items()
    assert "1 epochs" not in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["mlflow.note.content"].startswith("The grid of net1")
    assert point.data.tags["mlflow.note.content"].startswith("A run of net1 with lr 0.1")


def test_a_run_lasted_as_long_as_its_stage_did_when_it_did(project):
    began = 1_764_400_000
    when = datetime.datetime.fromtimestamp(began, datetime.UTC)
    stages = {stage: fingerprint(project.root, stage) for stage in ("occlusion", "train@net1")}
    rows = [
        f"{stage},,{of},12.500,cpu,{when:%Y-%m-%dT%H:%M:%S.%fZ}" for stage, of in stages.items()
    ]
    rows.append(f"train@net1,lr=0.1,point-0.1,2.000,cpu,{when:%Y-%m-%dT%H:%M:%S.%fZ}")
    project.write("logs/timings.csv", "\n".join(rows) + "\n")
    publish(project.root)
    for name, seconds in (("occlusion", 12.5), ("train@net1", 12.5), ("lr=0.1", 2)):
        run = project.run(name)
        assert run.info.start_time == 1000 * began
        assert run.info.end_time == 1000 * (began + seconds)
        assert run.data.metrics["time/seconds"] == seconds
    assert "time/seconds" not in project.run("lr=0.01").data.metrics


def test_a_grids_own_run_has_no_curves(project):
    publish(project.root)
    assert not [key for key in project.run("train@net1").data.metrics if key.startswith("epoch/")]


def test_confidence_by_window_is_one_curve_whose_steps_are_the_sizes(project):
    measured = {"clean_confidence": 0.9, "confidence_13": 0.5, "confidence_3": 0.8}
    project.write("reports/occlusion/metrics.json", measured)
    publish_stage(project, "occlusion")
    run = project.run("occlusion")
    assert run.data.metrics == {"occlusion/clean_confidence": 0.9, "occlusion/confidence": 0.5}
    assert project.history(run, "occlusion/confidence") == [(3, 0.8), (13, 0.5)]


@pytest.mark.parametrize("name", ["lr=0.1", "train@net1"])
def test_what_was_deleted_is_restored(name, project):
    publish(project.root)
    before = project.run(name)
    project.store.client.delete_run(before.info.run_id)
    actions = {entry.stage: entry.action for entry in publish(project.root)}
    assert actions == {"occlusion": "unchanged", "train@net1": "completed"}
    assert project.run(name).info.run_id == before.info.run_id
    assert project.children(project.run("train@net1")) == ["lr=0.01", "lr=0.1"]
    assert {entry.action for entry in publish(project.root)} == {"unchanged"}


def test_what_a_user_wrote_about_a_run_stays(project):
    publish(project.root)
    client, run = project.store.client, project.run("train@net1")
    client.set_tag(run.info.run_id, "mlflow.note.content", "the one of the talk")
    project.write("reports/train/net1/curves.png", "a better picture")
    publish(project.root)
    assert project.run("train@net1").data.tags["mlflow.note.content"] == "the one of the talk"


def test_the_experiment_says_what_was_measured_last_unless_a_user_does(project):
    evaluate = "reports/evaluate"
    project.write(f"{evaluate}/params.json", {})
    project.write(f"{evaluate}/made_from.json", MADE)
    client, number = project.store.client, project.store.experiment_id
    for accuracy, shown in ((0.5, "net1 50.00%"), (0.75, "net1 75.00%")):
        project.write(f"{evaluate}/metrics.json", {"net1_test_accuracy": accuracy})
        publish_stage(project, "evaluate")
        assert client.get_experiment(number).tags["mlflow.note.content"].endswith(f"{shown}.")
    client.set_experiment_tag(number, "mlflow.note.content", "mine")
    project.write(f"{evaluate}/metrics.json", {"net1_test_accuracy": 1.0})
    publish_stage(project, "evaluate")
    assert client.get_experiment(number).tags["mlflow.note.content"] == "mine"


def test_runs_of_an_earlier_version_stay_as_they_are(project):
    """They have no project, and other names."""
    client, record = project.store.client, read_stage(project.root, "occlusion")
    tags = {"stage": "occlusion", "fingerprint": record.fingerprint, "complete": "true"}
    old = client.create_run(project.store.experiment_id, tags=tags)
    before = client.get_run(old.info.run_id).to_dictionary()
    assert publish_stage(project, "occlusion").action == "created"
    assert client.get_run(old.info.run_id).to_dictionary() == before
