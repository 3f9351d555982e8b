import copy
import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML
from tests import projects
from tests.stages import pipelines

from convscope.stages import pipeline


def to_run():
    return pipeline.to_run(pipeline.here(), lambda out: Path(out).exists())


@pytest.fixture
def settled(here):
    pipelines.write()
    assert to_run() == {}
    return here


def test_sources_are_hashed_as_dvc_does_and_litter_is_left_out(here):
    projects.copied(here)
    for out in map(Path, ("data/dataset.safetensors", "reports/download/metrics.json")):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()
    Repo().commit("download", force=True)
    shutil.copyfile("src/convscope/data/archives.py", "src/convscope/data/archives.py~")
    assert "download" not in to_run()
    shutil.copyfile("src/convscope/data/archives.py", "src/convscope/data/archives2.py")
    assert to_run()["download"] == "src/convscope/data changed"


def test_networks_and_parameters_are_filled_in(settled):  # noqa: ARG001
    _, train, occlusion = pipeline.here().stages
    assert (train.name, train.command) == ("train@net1", "convscope train net1")
    assert (train.params, train.outs) == (["kernels", "train", "nets.net1"], ["models/net1"])
    assert occlusion.deps == ["models/net1"]


@pytest.mark.parametrize(
    ("key", "reasons"),
    [
        (
            "data",
            {
                "download": "data changed",
                "train@net1": "reads what may change",
                "occlusion": "reads what may change",
            },
        ),
        (
            "nets",
            {"train@net1": "nets.net1 changed", "occlusion": "reads what may change"},
        ),
    ],
)
def test_a_parameter_concerns_the_stages_that_name_it_and_those_after_them(settled, key, reasons):  # noqa: ARG001
    changed = copy.deepcopy(pipelines.PARAMS)
    changed[key] = {"net1": {"epochs": 9}} if key == "nets" else {"source": "cifar10"}
    pipelines.params(changed)
    assert to_run() == reasons


def test_sources_outputs_commands_and_new_stages_count(settled):
    (settled / "src/data/sub/b.py").write_text("other")
    assert to_run()["download"] == "src/data changed"
    pipelines.lock()
    shutil.rmtree("models")
    assert to_run()["train@net1"] == "not all of its outputs are here"
    (settled / "models/net1").mkdir(parents=True)
    pipeline.PIPELINE.write_text(pipelines.PIPELINE.replace("convscope occlusion", "convscope o"))
    assert to_run() == {"occlusion": "its command changed"}
    pipeline.LOCK.unlink()
    assert set(to_run().values()) == {"has not run"}


def test_a_lock_that_cannot_be_read_is_none(settled):  # noqa: ARG001
    pipeline.LOCK.write_text("stages: [")
    assert set(to_run().values()) == {"has not run"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1E5", 1e5), ("4", 4), ("0.5", 0.5), ("'1e-3'", "1e-3"), ("12e4a", "12e4a")],
)
def test_numbers_are_read_as_dvc_reads_them(text, value):
    read = pipeline.load(f"key: {text}")["key"]
    assert (read, type(read)) == (value, type(value))
    assert YAML(typ="safe", pure=True).load(f"key: {text}")["key"] == read
