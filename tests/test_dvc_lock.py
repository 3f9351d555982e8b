import contextlib
import json
from pathlib import Path

import pytest
import zc.lockfile

from convscope import dvc_lock

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "dvc.lock").read_text()


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dvc_lock.PROCESSES.parent.mkdir(parents=True)


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
