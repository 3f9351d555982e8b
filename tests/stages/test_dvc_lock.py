import contextlib
import json
from pathlib import Path

import pytest
import zc.lockfile
from tests import projects, toys

from convscope import cli
from convscope.stages import dvc_lock
from convscope.stages.dvc_lock import LOCK, PROCESSES, mend

TEXT = (projects.ROOT / "dvc.lock").read_text()


@pytest.fixture(autouse=True)
def _folder(here):
    PROCESSES.parent.mkdir(parents=True)
    dvc_lock.PIPELINE.write_text("stages: {}\n")
    (here / ".git").mkdir()


def test_complete_files_and_missing_ones_are_left_alone():
    assert mend() == []
    LOCK.write_text(TEXT)
    PROCESSES.write_text(json.dumps({"read": {}, "write": {}}))
    assert mend() == []
    assert LOCK.read_text() == TEXT
    assert PROCESSES.exists()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(LOCK, "", id="nothing was written yet"),
        pytest.param(LOCK, TEXT[:20], id="in a key"),
        pytest.param(LOCK, TEXT[: TEXT.index("md5: ") + 12], id="in a hash"),
        pytest.param(LOCK, TEXT[: TEXT.index("- path: ") + 8], id="in a path"),
        pytest.param(LOCK, TEXT[: TEXT.index("size: ") + 7], id="in a size"),
        pytest.param(LOCK, TEXT[:-1], id="in the last line"),
        pytest.param(LOCK, "[" * 1_000, id="nested brackets"),
        pytest.param(PROCESSES, "", id="no locks listed yet"),
        pytest.param(PROCESSES, '{"write": {"a', id="in the list of locks"),
    ],
)
def test_a_file_that_was_cut_short_is_removed(path, text):
    path.write_text(text)
    assert mend() == [path]
    assert not path.exists()


def test_what_a_living_dvc_is_writing_is_left_alone():
    LOCK.write_text(TEXT[:20])
    with contextlib.closing(zc.lockfile.LockFile(str(dvc_lock.DVC_AT_WORK))):
        assert mend() == []
    assert mend() == [LOCK]


def test_what_dvc_takes_from_elsewhere_may_have_another_hash():
    LOCK.write_text(
        "schema: '2.0'\nstages:\n  a:\n    cmd: a\n    deps:\n"
        "    - path: s3://bucket/file\n      etag: 0123\n      size: 1\n"
    )
    assert mend() == []


def test_a_folder_that_is_not_a_project_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    assert "dvc.yaml is missing: run this in the project's folder" in toys.refusal(mend)
    assert list(Path().iterdir()) == []


def test_without_git_the_remedy_is_named_unless_dvc_does_without(tmp_path):
    (tmp_path / ".git").rmdir()
    why = "not in a git repository, which DVC needs: run `git init`"
    assert why in toys.refusal(mend)
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = True\n")
    assert mend() == []


def test_a_merge_conflict_is_left_to_the_user():
    text = f"<<<<<<< HEAD\n{TEXT}=======\n{TEXT}>>>>>>> other\n"
    LOCK.write_text(text)
    assert toys.refusal(mend).startswith("dvc.lock has a merge conflict")
    assert LOCK.read_text() == text


def test_what_the_system_refuses_is_one_line(capsys):
    Path("params.yaml").touch()
    LOCK.mkdir()
    assert cli.main(["mend"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("convscope: dvc.lock: ")
