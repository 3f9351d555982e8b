import pytest
from dvc_data.hashfile.build import build
from dvc_data.hashfile.db import HashFileDB
from dvc_objects.fs.local import LocalFileSystem
from tests.report.document.folders import replace
from tests.tracking.conftest import commit

from convscope.base.files import digest
from convscope.tracking.provenance import provenance

LOCK = "outs:\n- path: made\n  md5: {}\n  size: 1\n"


def of_dvc(path):
    system = LocalFileSystem()
    _, _, found = build(HashFileDB(system, str(path.parent / "cache")), str(path), system, "md5")
    return found.hash_info.value


@pytest.fixture
def made(tmp_path):
    for name in ("a/x", "a-b/x", "a.json", "b/c/d"):  # sorted by characters, not by folders
        replace(tmp_path / "made" / name, name)
    return tmp_path / "made"


@pytest.mark.parametrize("inside", ["", "a.json"])
def test_a_lock_that_records_what_was_made_is_named_and_no_other(inside, made):
    output, lock = made / inside, made.parent / "dvc.lock"
    assert "dvc_lock_md5" not in provenance(made.parent, [output])
    lock.write_text(LOCK.format(of_dvc(output)))
    assert provenance(made.parent, [output])["dvc_lock_md5"] == digest(lock)
    assert "dvc_lock_md5" not in provenance(made.parent)
    assert "dvc_lock_md5" not in provenance(made.parent, [output, made / "b"])
    (made / "a.json").write_text("changed")
    assert "dvc_lock_md5" not in provenance(made.parent, [output])


def test_outside_git_and_dvc_nothing_is_claimed(tmp_path):
    assert provenance(tmp_path) == {}


@pytest.mark.parametrize(
    ("changed", "dirty"),
    [
        ("project/params.yaml", "false"),
        ("project/dvc.lock", "false"),
        ("project/conf/params.yaml", "true"),
        ("project/train.py", "true"),
        ("beside.txt", "true"),
    ],
)
def test_a_checkout_is_dirty_by_what_is_not_recorded_otherwise(changed, dirty, tmp_path):
    project = tmp_path / "project"
    (project / "conf").mkdir(parents=True)
    inside = ("params.yaml", "dvc.lock", "conf/params.yaml", "train.py")
    for path in (*(project / name for name in inside), tmp_path / "beside.txt"):
        path.write_text("as committed")
    commit(tmp_path)
    assert provenance(project)["git_dirty"] == "false"
    (tmp_path / changed).write_text("changed since")
    assert provenance(project)["git_dirty"] == dirty
