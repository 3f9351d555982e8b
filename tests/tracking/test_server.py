import re
import subprocess
import sys
from unittest.mock import Mock

import pytest
from tests.toys import refusal

from convscope.tracking import server
from convscope.tracking.publishing import publish
from convscope.tracking.server import connect, tracking_uri


def test_the_store_is_a_file_in_the_project_or_what_the_environment_names(tmp_path, monkeypatch):
    store = f"sqlite:///{tmp_path}/mlflow.db"
    assert tracking_uri(tmp_path) == store
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://host")
    assert tracking_uri(tmp_path) == "https://host"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert tracking_uri(tmp_path) == store


def test_a_store_is_created_completely_and_silently_or_not_at_all(tmp_path, monkeypatch, capfd):
    (tmp_path / ".mlflow.db.partial").write_bytes(b"half a store")  # an earlier attempt, killed
    with monkeypatch.context() as patch:
        patch.setattr(server, "open_client", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            connect(tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    assert connect(tmp_path).experiment_id
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a@b", "a%20b#c?d=1"])
def test_a_project_s_folder_may_have_any_name(name, tmp_path):
    project = tmp_path / name
    project.mkdir()
    store = connect(project)
    run = store.client.create_run(store.experiment_id)
    (tmp_path / "note.txt").write_text("kept")
    store.client.log_artifact(run.info.run_id, str(tmp_path / "note.txt"))
    assert connect(project).client.get_run(run.info.run_id).info.run_id == run.info.run_id
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "note.txt"]
    assert sorted(path.name for path in project.iterdir()) == ["mlartifacts", "mlflow.db"]
    assert [path.read_text() for path in project.rglob("note.txt")] == ["kept"]
    assert server.sqlite_file(tracking_uri(project)) == project / "mlflow.db"


def test_an_experiment_that_another_project_has_just_created_is_taken(project, monkeypatch):
    """Two projects share a server, and no lock."""
    client = type(project.store.client)
    looks = Mock(side_effect=[None, project.store.client.get_experiment_by_name("convscope")])
    monkeypatch.setattr(client, "get_experiment_by_name", looks)
    assert connect(project.root).experiment_id == project.store.experiment_id
    assert looks.call_count == 2


def test_an_experiment_that_cannot_be_created_is_an_error(project, monkeypatch):
    client = type(project.store.client)
    monkeypatch.setattr(client, "get_experiment_by_name", Mock(return_value=None))
    monkeypatch.setattr(client, "create_experiment", Mock(side_effect=RuntimeError("read-only")))
    with pytest.raises(RuntimeError, match="read-only"):
        connect(project.root)


def test_a_database_that_is_a_folder_is_refused_at_once(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(FileExistsError, match=r"mlflow\.db is not a file"):
        connect(tmp_path)


def deleted(project):
    project.store.client.delete_experiment(project.store.experiment_id)
    return project.store.experiment_id


@pytest.mark.usefixtures("warm_python")
def test_a_deleted_experiment_is_refused_with_a_command_that_brings_it_back(project):
    number = deleted(project)
    line = refusal(publish, project.root)
    assert f"experiment {number}, convscope, has been deleted" in line
    command = re.search(r"`mlflow (experiments restore --experiment-id \d+)`", line)[1]
    assert "later" not in line
    subprocess.run([sys.executable, "-m", "mlflow", *command.split()], cwd=project.root, check=True)
    assert {entry.action for entry in publish(project.root)} == {"created"}


def test_the_environment_names_the_experiment(project, monkeypatch):
    deleted(project)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "term paper")
    publish(project.root)
    client = project.store.client
    found = client.get_experiment_by_name("term paper")
    assert found.artifact_location == (project.root / "mlartifacts").as_uri()
    assert len(client.search_runs([found.experiment_id])) == 4
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", found.experiment_id)
    assert {entry.action for entry in publish(project.root)} == {"unchanged"}
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")
    assert "set MLFLOW_EXPERIMENT_ID to one that is there" in refusal(publish, project.root)
