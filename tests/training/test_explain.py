import io
import json
import shutil
from collections import Counter
from math import prod
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from convscope import cli
from convscope.base import files, kernels, paths
from convscope.base.names import AXES
from convscope.config import params_file
from convscope.data import datasets
from convscope.data.augment import Augmentation
from convscope.training import dvc_cache, explain, grid, plan, run
from convscope.training.explain import RESUME, REUSE, TRAIN
from tests import projects, toys, warm
from tests.training.toy_runs import MODELS, cut, damage, in_dvcs_cache, in_the_store

# how many runs each grid of the committed params.yaml has
GRIDS = {
    net: prod(len(grid[axis]) for axis in AXES) for net, grid in projects.PARAMS["nets"].items()
}
RUNS = sum(GRIDS.values())
UNKNOWN = (TRAIN, "no finished run of this point is known")

pytestmark = pytest.mark.usefixtures("here")


def explained(*wanted):
    """What would happen to runs, and why; explaining changes nothing."""
    before = projects.snapshot(Path())
    found = explain.explain(wanted, MODELS)
    assert projects.snapshot(Path()) == before
    assert [each.run for each in found] == list(wanted)
    return [(each.action, each.why) for each in found]


def test_a_finished_run_is_reused():
    in_the_store(toys.run(epochs=1))
    assert explained(toys.run(epochs=1)) == [(REUSE, "finished in the store")]


def test_a_run_that_a_grid_finishes_meanwhile_is_reused(monkeypatch):
    # listed before, and looked at as if just then it had been at its last epoch
    monkeypatch.setattr(explain, "_finished_or_damaged", dict)
    in_the_store(toys.run(epochs=1))
    assert explained(toys.run(epochs=1)) == [(REUSE, "finished in the store")]
    answers, finished = iter([False, True]), explain.is_finished
    monkeypatch.setattr(explain, "is_finished", lambda *each: finished(*each) and next(answers))
    assert explained(toys.run(epochs=1)) == [(REUSE, "finished in the store")]


def test_a_run_of_other_processors_is_reused_and_they_are_named(monkeypatch):
    in_the_store(toys.run(epochs=1))
    here = kernels.computed_on("cpu")
    monkeypatch.setattr(kernels, "computed_on", lambda _: "another")
    why = f"finished in the store, computed on {here}"
    assert explained(toys.run(epochs=1)) == [(REUSE, why)]


def test_a_run_in_dvcs_cache_is_reused_and_others_of_its_place_are_not():
    run = toys.run(epochs=1)
    shutil.rmtree(in_dvcs_cache(run))
    cached = (REUSE, "finished, in DVC's cache")
    assert explained(run, toys.run(epochs=2)) == [cached, UNKNOWN]
    dvc_cache.recall([run], MODELS)
    assert explained(run) == [(REUSE, "finished in the store")]


@pytest.mark.parametrize("epochs", [1, 2])
def test_an_interrupted_run_goes_on(epochs):
    run = toys.run(epochs=3)
    cut(run, epochs, grid.store_folder(run))
    assert explained(run) == [(RESUME, f"interrupted after epoch {epochs} of 3")]


def test_a_run_interrupted_in_its_first_epoch_is_as_one_never_begun():
    grid.store_folder(toys.run()).mkdir(parents=True)
    assert explained(toys.run()) == [UNKNOWN]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"\0" * 100, lambda kept: kept[:-1]])
def test_a_damaged_checkpoint_is_named(damage):
    folder = grid.store_folder(toys.run())
    checkpoint = cut(toys.run(), 1, folder)
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    assert explained(toys.run()) == [(TRAIN, f"the checkpoint in {folder} is damaged")]


@pytest.mark.parametrize("name", [paths.RUN, paths.HISTORY, paths.WEIGHTS])
@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_damaged_run_is_named(name, content):
    folder = in_the_store(toys.run(epochs=1))
    damage(folder / name, content)
    assert explained(toys.run(epochs=1)) == [(TRAIN, f"the finished run in {folder} is damaged")]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data": "other"}, "another data set"),
        ({"seed": 3}, "seed 0"),
        ({"epochs": 2}, "epochs 1"),
        ({"augment": Augmentation(flip=0.5)}, "augment.flip 0.0"),
        ({"precision": "bf16"}, "precision fp32"),
        ({"threads": 2}, "threads 1"),
        ({"select_on": "validation"}, "select_on test"),
    ],
)
def test_what_differs_from_the_nearest_run_is_told_and_nothing_else(change, told):
    in_the_store(toys.run(epochs=1))
    wanted = toys.run(**{"epochs": 1, **change})
    assert explained(wanted) == [(TRAIN, f"the nearest finished run has {told}")]


@pytest.mark.parametrize("change", [{"lr": 0.5}, {"l1_oc": 6}, {"net": "net2"}])
def test_another_point_or_network_is_no_neighbor(change):
    in_the_store(toys.run(epochs=1))
    assert explained(toys.run(**{"epochs": 1, **change})) == [UNKNOWN]


@pytest.mark.parametrize(
    ("holder", "name", "value", "told"),
    [
        (run, "code", lambda: "edited", "other training code"),
        (torch, "__version__", "0.0", f"torch {torch.__version__}"),
    ],
)
def test_other_code_is_told(monkeypatch, holder, name, value, told):
    in_the_store(toys.run(epochs=1))
    monkeypatch.setattr(holder, name, value)
    assert explained(toys.run(epochs=1)) == [(TRAIN, f"the nearest finished run has {told}")]


def test_the_run_that_differs_least_is_the_nearest():
    in_the_store(toys.run(epochs=1, seed=1, data="other"))
    in_the_store(toys.run(epochs=2, seed=1))
    wanted = toys.run(epochs=1, data="third")
    told = "the nearest finished run has seed 1, another data set"
    assert explained(wanted) == [(TRAIN, told)]
    in_the_store(toys.run(epochs=1, data="fourth"))
    assert explained(wanted) == [(TRAIN, "the nearest finished run has another data set")]


def test_a_damaged_neighbor_is_none():
    folder = in_the_store(toys.run(epochs=1))
    (folder / paths.WEIGHTS).write_bytes(b"abc")
    assert explained(toys.run(epochs=2)) == [UNKNOWN]


def test_a_run_of_a_version_that_did_not_say_its_identity_is_no_neighbor():
    path = in_the_store(toys.run(epochs=1)) / paths.RUN
    stored = json.loads(path.read_text())
    del stored["identity"]
    path.write_text(json.dumps(stored))
    assert explained(toys.run(epochs=2)) == [UNKNOWN]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"net": "net1"}', '{"point": []}'])
def test_a_store_of_rubbish_is_no_obstacle(content):
    for name in ("a", "b"):
        files.write_text(paths.KEPT_RUNS / name / paths.RUN, content)
    assert explained(toys.run()) == [UNKNOWN]


@pytest.fixture
def dataset(here):
    """A toy data set in a project with the committed grids."""
    shutil.copyfile(projects.ROOT / "params.yaml", here / "params.yaml")
    dataset = toys.red_or_blue(train=512)
    datasets.save(dataset, paths.DATASET)
    return dataset


def shown(net=None):
    out = io.StringIO()
    before = projects.snapshot(Path())
    explain.show(net, out)
    assert projects.snapshot(Path()) == before
    return out.getvalue().splitlines()


def test_every_run_of_params_yaml_has_a_line_and_the_last_counts_them(dataset):
    (wanted, *_) = plan.runs(params_file.load(), "net4", dataset)
    in_the_store(wanted)
    *table, last = shown()
    assert last == f"{RUNS} runs: 1 to reuse, 0 to resume, {RUNS - 1} to train"
    named = Counter(line.split()[0] for line in table)
    assert named == GRIDS
    expected = ["net4", wanted.id, "reuse", "finished", "in", "the", "store"]
    assert table[-2].split() == expected
    assert len({line.index(" train ") for line in table if " train " in line}) == 1
    assert shown("net4")[-1] == "2 runs: 1 to reuse, 0 to resume, 1 to train"
    assert shown("baseline")[-1] == "6 runs: 0 to reuse, 0 to resume, 6 to train"


@pytest.mark.usefixtures("dataset")
def test_data_parameters_that_have_changed_since_are_pointed_out():
    used = {"data": {"source": "digits", "train_images": None, "test_images": None}}
    path = paths.REPORTS / "download" / "params.json"
    files.write_json(path, used)
    assert len(shown("net4")) == 3
    files.write_json(path, {"data": {**used["data"], "train_images": 40}})
    told = shown("net4")[-2]
    assert told.startswith("params.yaml: data has changed since data/dataset.safetensors was made")


@pytest.mark.parametrize(
    ("net", "told"),
    [
        ("net9", "'net9' is not a network; known: baseline, net1, net2"),
        ("net3", "params.yaml: nets.net3 is missing"),
    ],
)
@pytest.mark.usefixtures("dataset")
def test_an_unknown_grid_is_exit_code_2(net, told, capsys):
    params = YAML(typ="safe").load(Path("params.yaml").read_text())
    del params["nets"]["net3"]
    projects.write_yaml(params, Path("params.yaml"))
    assert cli.main(["explain", net]) == 2
    assert capsys.readouterr().err.startswith(f"convscope: {told}")


@pytest.mark.usefixtures("dataset")
def test_the_command_prints_and_ends_with_0(capsys):
    assert cli.main(["explain"]) == 0
    assert capsys.readouterr().out.endswith(f" 0 to reuse, 0 to resume, {RUNS} to train\n")
    paths.DATASET.unlink()
    assert cli.main(["explain"]) == 2
    assert "run `convscope download`" in capsys.readouterr().err


@pytest.mark.pipeline
def test_moving_and_renaming_a_module_retrains_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", projects.NO_SERVER)
    monkeypatch.setenv("CONVSCOPE_WORKERS", "1")
    project = projects.fresh(tmp_path, warm.programs())
    for stage in (["download"], ["train", "net1"]):
        assert cli.main(stage) == 0
    source = project.folder / "src" / "convscope"
    (path,) = (each for each in source.rglob("*.py") if "\nclass Step:" in each.read_text())
    module = ".".join(path.relative_to(source.parent).with_suffix("").parts)
    (source / "elsewhere").mkdir()
    path.rename(source / "elsewhere" / "one_step.py")
    for each in source.rglob("*.py"):
        new = "from convscope.elsewhere.one_step import OneStep as Step"
        text = each.read_text().replace(f"from {module} import Step", new)
        if each.name == "one_step.py":
            text = text.replace("class Step:", "class OneStep:")
        each.write_text(text)
    done = project.run("convscope", "explain", "net1")
    assert done.stdout.splitlines()[-1].endswith("2 runs: 2 to reuse, 0 to resume, 0 to train")
