import contextlib
import json
from pathlib import Path

import pytest
import zc.lockfile
from tests import projects

from convscope.stages import dvc_lock

ROOT = projects.ROOT
TEXT = (ROOT / "dvc.lock").read_text()


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dvc_lock.PROCESSES.parent.mkdir(parents=True)
    dvc_lock.PIPELINE.write_text("stages: {}\n")
    (tmp_path / ".git").mkdir()


def test_whole_files_and_missing_ones_are_left_alone(capsys):
    assert dvc_lock.mend() == []
    dvc_lock.LOCK.write_text(TEXT)
    dvc_lock.PROCESSES.write_text(json.dumps({"read": {}, "write": {}}))
    assert dvc_lock.main() == 0
    assert dvc_lock.LOCK.read_text() == TEXT
    assert dvc_lock.PROCESSES.exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(0, id="nothing was written yet"),
        pytest.param(20, id="in a key"),
        pytest.param(TEXT.index("md5: ") + 12, id="in a hash"),
        pytest.param(TEXT.index("- path: ") + 8, id="in a path"),
        pytest.param(TEXT.index("size: ") + 7, id="in a size"),
        pytest.param(len(TEXT) - 1, id="in the last line"),
    ],
)
def test_a_lock_that_was_cut_short_is_removed_and_told(end, capsys):
    dvc_lock.LOCK.write_text(TEXT[:end])
    assert dvc_lock.main() == 0
    assert not dvc_lock.LOCK.exists()
    assert capsys.readouterr().err.startswith("convscope: removed dvc.lock, which a killed DVC")


def test_a_lock_of_nested_brackets_is_removed(capsys):
    dvc_lock.LOCK.write_text("[" * 100_000)
    assert dvc_lock.main() == 0
    assert not dvc_lock.LOCK.exists()
    assert "removed dvc.lock" in capsys.readouterr().err


def test_a_folder_that_is_no_project_is_left_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    assert dvc_lock.main() == 2
    assert "dvc.yaml is missing: run this in the project's folder" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_without_git_the_remedy_is_told_unless_dvc_does_without(tmp_path, capsys):
    (tmp_path / ".git").rmdir()
    assert dvc_lock.main() == 2
    assert "in no git repository, which DVC needs: run `git init`" in capsys.readouterr().err
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = True\n")
    assert dvc_lock.main() == 0


def test_what_the_system_refuses_is_one_line(capsys):
    dvc_lock.LOCK.mkdir()
    assert dvc_lock.main() == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("convscope: dvc.lock: ")


def test_a_merge_conflict_is_told_and_left_to_the_user(capsys):
    text = f"<<<<<<< HEAD\n{TEXT}=======\n{TEXT}>>>>>>> other\n"
    dvc_lock.LOCK.write_text(text)
    assert dvc_lock.main() == 2
    assert dvc_lock.LOCK.read_text() == text
    assert capsys.readouterr().err.startswith("convscope: dvc.lock has a merge conflict")


def test_what_dvc_takes_from_elsewhere_may_have_another_hash():
    dvc_lock.LOCK.write_text(
        "schema: '2.0'\nstages:\n  a:\n    cmd: a\n    deps:\n"
        "    - path: s3://bucket/file\n      etag: 0123\n      size: 1\n"
    )
    assert dvc_lock.mend() == []


@pytest.mark.parametrize("text", ["", '{"write": {"a'])
def test_a_list_of_locks_that_was_cut_short_is_removed(text):
    dvc_lock.PROCESSES.write_text(text)
    assert dvc_lock.mend() == [dvc_lock.PROCESSES]
    assert not dvc_lock.PROCESSES.exists()


def test_what_a_living_dvc_is_writing_is_left_alone():
    dvc_lock.LOCK.write_text(TEXT[:20])
    with contextlib.closing(zc.lockfile.LockFile(str(dvc_lock.ALONE))):
        assert dvc_lock.mend() == []
    assert dvc_lock.mend() == [dvc_lock.LOCK]
