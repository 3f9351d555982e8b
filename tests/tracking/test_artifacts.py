import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from convscope.tracking import artifacts
from convscope.tracking.publishing import publish
from convscope.tracking.server import NOTE, connect


def addresses(root, name="convscope"):
    """What the database in a folder names as places of files, without the folder's own address."""
    with contextlib.closing(sqlite3.connect(root / "mlflow.db")) as database:
        places = database.execute(
            "select artifact_location from experiments where name = ?", (name,)
        )
        runs = database.execute("select artifact_uri from runs")
        return [text.removeprefix(root.as_uri()) for (text,) in [*places, *runs]]


@pytest.mark.parametrize("name", ["convscope", "mine"])
def test_a_moved_project_has_its_old_runs_files_and_gives_new_ones_a_place(
    name, project, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", name)
    publish(project.root)
    client, experiment = connect(project.root)
    client.set_experiment_tag(experiment, NOTE, "what a user wrote there")
    moved = project.root.rename(tmp_path.parent / f"moved-{name}")
    client, experiment = connect(moved)
    assert {text.split("/")[1] for text in addresses(moved, name)} == {"mlartifacts"}
    (run,) = client.search_runs([experiment], "tags.stage = 'occlusion'")
    found = client.download_artifacts(run.info.run_id, "maps.png")
    assert Path(found).read_text() == "a picture"
    assert {entry.action for entry in publish(moved)} == {"unchanged"}


def test_a_database_that_was_copied_alone_leaves_old_files_where_they_are(project, tmp_path):
    publish(project.root)
    copy = tmp_path.parent / "copy"
    copy.mkdir()
    shutil.copyfile(project.root / "mlflow.db", copy / "mlflow.db")
    connect(copy)
    place, *runs = addresses(copy)
    assert place == "/mlartifacts"
    assert all(text.startswith(project.root.as_uri()) for text in runs)
    assert {text.split("/")[1] for text in addresses(project.root)} == {"mlartifacts"}


@pytest.mark.parametrize("place", ["s3://bucket/mlartifacts", "file:///disk/mlartifacts"])
def test_other_experiments_keep_the_places_that_were_chosen(place, project):
    publish(project.root)
    client = project.store.client
    number = client.create_experiment("other", artifact_location=place)
    run = client.create_run(number).info
    artifacts.follow(project.root / "mlflow.db")
    assert client.get_experiment(number).artifact_location == place
    assert client.get_run(run.run_id).info.artifact_uri == run.artifact_uri


def test_every_address_of_files_in_the_schema_is_known(project):
    """A newer MLflow may have more of them."""
    with contextlib.closing(sqlite3.connect(project.root / "mlflow.db")) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master")]
        columns = {
            (table, row[1])
            for table in tables
            for row in database.execute(f"pragma table_info({table})")
            if "artifact" in row[1] or row[1] == "storage_location"
        }
    # the last is what a server's owner chooses
    others = {("experiments", "artifact_location"), ("workspaces", "default_artifact_root")}
    assert columns - others == set(artifacts._ADDRESSES) - {("model_versions", "source")}


def test_what_is_not_a_database_is_an_error_and_what_is_empty_is_left_to_mlflow(tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.Error):
        artifacts.follow(path)
    path.write_bytes(b"")
    assert connect(tmp_path).experiment_id
