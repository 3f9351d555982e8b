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


@pytest.mark.parametrize("place", ["config.local", "config", "user", "site"])
def test_a_run_comes_back_from_a_cache_that_projects_share(folder, place, tmp_path, monkeypatch):
    held = contents(folder)
    shutil.rmtree(folder)
    shared = tmp_path / "shared, 100 % ünser"
    (dvc_cache.DVC / "cache").rename(shared)
    configs = {"config.local": dvc_cache.DVC, "config": dvc_cache.DVC}
    for name, variable in (("user", "DVC_GLOBAL_CONFIG_DIR"), ("site", "DVC_SYSTEM_CONFIG_DIR")):
        configs[name] = tmp_path / name
        configs[name].mkdir()
        monkeypatch.setenv(variable, str(configs[name]))
    config = configs[place] / (place if place.startswith("config") else "config")
    before = config.read_text() if config.exists() else ""
    config.write_text(f"{before}[cache]\n    type = copy\n    dir = {shared}\n", encoding="utf-8")
    assert recalled() == held


def test_a_cache_is_named_from_where_its_configuration_lies(here):  # noqa: ARG001
    (dvc_cache.DVC).mkdir(exist_ok=True)
    (dvc_cache.DVC / "config").write_text("[cache]\n    dir = ../../shared\n")
    assert dvc_cache.folder_of_cache() == dvc_cache.DVC / "../../shared"
    (dvc_cache.DVC / "config").write_text("[core\nbroken")
    assert dvc_cache.folder_of_cache() == dvc_cache.DVC / "cache"


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
        (path,) = dvc_cache.folder_of_cache().glob("files/md5/*/*.dir")
    else:
        path = dvc_cache.copy_of(files.digest(folder / damaged), dvc_cache.folder_of_cache())
    damage(path, content)
    shutil.rmtree(folder)
    assert recalled() == {}
