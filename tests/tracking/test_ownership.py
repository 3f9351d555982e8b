import shutil

import pytest
from tests.toys import refusal

from convscope.tracking.ownership import MARK, project_id
from convscope.tracking.publishing import publish


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def test_a_folder_keeps_its_id(mine):
    assert project_id(mine) == project_id(mine)


def test_a_moved_folder_keeps_its_id_and_whoever_takes_its_place_has_another(mine):
    made = project_id(mine)
    moved = mine.rename(mine.parent / "moved")
    assert project_id(moved) == made
    mine.mkdir()
    assert project_id(mine) != made
    assert project_id(moved) == made


def test_a_copy_has_an_id_of_its_own(mine):
    made = project_id(mine)
    copy = shutil.copytree(mine, mine.parent / "copy")
    assert project_id(copy) not in (made, "")
    assert project_id(copy) == project_id(copy)
    assert project_id(mine) == made


def test_a_damaged_mark_is_made_anew(mine):
    made = project_id(mine)
    (mine / MARK).write_text("[")
    assert project_id(mine) not in (made, "")


def test_two_folders_with_the_same_results_have_runs_of_their_own(project, monkeypatch, tmp_path):
    """Two people with the same study share a server: neither adopts the other's runs."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project.root}/mlflow.db")
    other = shutil.copytree(project.root, tmp_path.parent / "other")
    first, second = publish(project.root), publish(other)
    assert [entry.action for entry in second] == ["created", "created"]
    assert {entry.run_id for entry in first}.isdisjoint(entry.run_id for entry in second)
    parent = project.store.client.get_run(second[1].run_id)
    assert len(project.children(parent)) == 2
    for root, published in ((project.root, first), (other, second)):
        again = publish(root)
        assert [entry.run_id for entry in again] == [entry.run_id for entry in published]
        assert {entry.action for entry in again} == {"unchanged"}


def test_a_folder_that_may_not_be_written_is_said(project):
    (project.root / MARK).mkdir(parents=True)
    assert "project.json" in refusal(publish, project.root)
