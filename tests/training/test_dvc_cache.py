import hashlib
import shutil

import pytest

from convscope.base import paths
from convscope.training import dvc_cache, grid, trainer
from tests import toys
from tests.projects import contents
from tests.training.toy_runs import MODELS, in_dvcs_cache

RUN = toys.run(epochs=1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The store's folder of a run that is, byte for byte, in DVC's cache too."""
    monkeypatch.chdir(tmp_path)
    return in_dvcs_cache(RUN)


def recalled(run=RUN):
    dvc_cache.recall([run], MODELS)
    return contents(grid.store_folder(run))


@pytest.mark.parametrize("output", [MODELS, MODELS.parent])
def test_a_run_comes_back_from_the_cache_byte_for_byte(output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = in_dvcs_cache(RUN, output)
    held = contents(folder)
    shutil.rmtree(folder)
    assert recalled() == held
    assert trainer.is_finished(RUN, folder)


@pytest.mark.usefixtures("folder")
def test_a_run_of_another_fingerprint_is_left_to_be_trained():
    other = toys.run(epochs=2)
    assert other.id == RUN.id
    assert recalled(other) == {}


def test_a_complete_run_in_the_store_is_left_as_it_is(folder):
    before = (folder / paths.WEIGHTS).stat().st_mtime_ns
    recalled()
    assert (folder / paths.WEIGHTS).stat().st_mtime_ns == before


def test_a_damaged_run_in_the_store_is_replaced(folder):
    intact = contents(folder)
    (folder / paths.WEIGHTS).write_bytes(b"abc")
    assert recalled() == intact


@pytest.mark.parametrize(
    ("damaged", "content"),
    [
        ("lock", "["),
        ("lock", None),
        ("list", "{"),
        ("list", None),
        (paths.WEIGHTS, None),
        (paths.RUN, "{}"),
    ],
)
def test_what_is_damaged_or_gone_is_left_to_be_trained(folder, damaged, content):
    if damaged == "lock":
        path = dvc_cache.LOCK
    elif damaged == "list":
        (path,) = dvc_cache.CACHE.glob("*/*.dir")
    else:
        digest = hashlib.md5((folder / damaged).read_bytes()).hexdigest()
        path = dvc_cache.CACHE / digest[:2] / digest[2:]
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    shutil.rmtree(folder)
    assert recalled() == {}
