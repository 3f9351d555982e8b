import shutil

import pytest

from convscope.base import files, paths
from convscope.training import dvc_cache, grid, trainer
from tests import toys
from tests.projects import contents
from tests.training.toy_runs import MODELS, damage, in_dvcs_cache

RUN = toys.run(epochs=1)


@pytest.fixture
def folder(here):  # noqa: ARG001
    """The store's folder of a run that is, byte for byte, in DVC's cache too."""
    return in_dvcs_cache(RUN)


def recalled():
    dvc_cache.recall([RUN], MODELS)
    return contents(grid.store_folder(RUN))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("output", [MODELS, MODELS.parent])
def test_a_run_comes_back_from_the_cache_byte_for_byte(output):
    folder = in_dvcs_cache(RUN, output)
    held = contents(folder)
    shutil.rmtree(folder)
    assert recalled() == held
    assert trainer.is_finished(RUN, folder)


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
        ("lock", b"["),
        ("lock", None),
        ("list", b"{"),
        ("list", None),
        (paths.WEIGHTS, None),
        (paths.RUN, b"{}"),
    ],
)
def test_what_is_damaged_or_gone_is_left_to_be_trained(folder, damaged, content):
    if damaged == "lock":
        path = dvc_cache.LOCK
    elif damaged == "list":
        (path,) = dvc_cache.CACHE.glob("*/*.dir")
    else:
        path = dvc_cache._cached(files.digest(folder / damaged))
    damage(path, content)
    shutil.rmtree(folder)
    assert recalled() == {}
