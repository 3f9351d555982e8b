import hashlib
import json
from pathlib import Path

import pytest
import torch

from convscope.base import paths
from convscope.training import dvc_cache, grid, trainer
from tests import toys

MODELS = Path("models/net1")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A project with a run in its store and, byte for byte, in DVC's cache; the run."""
    monkeypatch.chdir(tmp_path)
    run = toys.run(epochs=1)
    trainer.train(run, toys.red_or_blue(), grid.store_folder(run), torch.device("cpu"))
    listed = [
        {"md5": cached(path.read_bytes()), "relpath": f"runs/{run.id}/{path.name}"}
        for path in sorted(grid.store_folder(run).iterdir())
    ]
    folder = cached(json.dumps(listed).encode(), ".dir")
    lock(f"{{train@net1: {{outs: [{{path: {MODELS}, md5: {folder}}}]}}}}")
    return run


def lock(stages):
    dvc_cache.LOCK.write_text(f"stages: {stages}\n")


def cached(content, suffix=""):
    """Put a file into the cache, and return its digest."""
    digest = hashlib.md5(content).hexdigest() + suffix
    path = dvc_cache.CACHE / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


def emptied_store(run):
    """Empty the store, and return what it held."""
    folder = grid.store_folder(run)
    held = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    return held


def recalled(run):
    dvc_cache.recall([run], MODELS)
    folder = grid.store_folder(run)
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_a_run_comes_back_from_the_cache_byte_for_byte(trained):
    held = emptied_store(trained)
    assert recalled(trained) == held
    assert trainer.is_finished(trained, grid.store_folder(trained))


def test_a_run_of_another_fingerprint_is_left_to_be_trained(trained):
    other = toys.run(epochs=2)
    assert other.id == trained.id
    assert recalled(other) == {}


def test_a_whole_run_in_the_store_is_left_as_it_is(trained):
    weights = grid.store_folder(trained) / paths.WEIGHTS
    before = weights.stat().st_mtime_ns
    recalled(trained)
    assert weights.stat().st_mtime_ns == before


def test_a_damaged_run_in_the_store_is_replaced(trained):
    weights = grid.store_folder(trained) / paths.WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(b"abc")
    assert recalled(trained)[paths.WEIGHTS] == whole


def test_a_folder_inside_an_output_is_found(trained):
    lock(dvc_cache.LOCK.read_text().removeprefix("stages: ").replace("models/net1", "models"))
    listed = next(dvc_cache.CACHE.glob("*/*.dir"))
    listed.write_text(listed.read_text().replace("runs/", "net1/runs/"))
    held = emptied_store(trained)
    assert recalled(trained) == held


@pytest.mark.parametrize("damage", ["lock", "no lock", "list", "no list", "weights", "run.json"])
def test_what_is_damaged_or_gone_is_left_to_be_trained(trained, damage):
    weights = hashlib.md5((grid.store_folder(trained) / paths.WEIGHTS).read_bytes()).hexdigest()
    described = hashlib.md5((grid.store_folder(trained) / paths.RUN).read_bytes()).hexdigest()
    emptied_store(trained)
    listed = next(dvc_cache.CACHE.glob("*/*.dir"))
    if damage == "lock":
        lock("[")
    elif damage == "no lock":
        dvc_cache.LOCK.unlink()
    elif damage == "list":
        listed.write_text("{")
    elif damage == "no list":
        listed.unlink()
    elif damage == "weights":
        (dvc_cache.CACHE / weights[:2] / weights[2:]).unlink()
    else:
        (dvc_cache.CACHE / described[:2] / described[2:]).write_text("{}")
    assert recalled(trained) == {}
