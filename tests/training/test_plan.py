import copy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from convscope import cli
from convscope.base import paths
from convscope.base.errors import UserError
from convscope.config import params_file
from convscope.data import datasets
from convscope.training import grid, plan
from tests import projects, toys


def params_with(tmp_path, **changes):
    """The committed parameters with some keys of ``train`` and ``nets.net4`` changed."""
    content = copy.deepcopy(projects.PARAMS)
    for key, value in changes.items():
        holder = content["train"] if key in content["train"] else content["nets"]["net4"]
        holder[key] = value
    YAML().dump(content, tmp_path / "params.yaml")
    return params_file.load(tmp_path / "params.yaml")


def told(params, net, dataset):
    with pytest.raises(UserError) as refused:
        plan.runs(params, net, dataset)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_grid_that_is_not_there_is_refused_with_what_is(tmp_path):
    params = params_with(tmp_path)
    assert list(params.nets) == ["baseline", "net1", "net2", "net3", "net4"]
    with pytest.raises(UserError, match="'net9' is not a network; known: baseline, net1, net2"):
        plan.section(params, "net9")
    del params.nets["net3"]
    with pytest.raises(UserError, match=r"params\.yaml: nets\.net3 is missing"):
        plan.section(params, "net3")


def test_runs_repeat_the_grid_for_each_seed(tmp_path):
    dataset = toys.red_or_blue(train=512)
    params = params_with(tmp_path, seeds=[0, 3], select_on="validation", batch_size=[2, 8])
    found = plan.runs(params, "net4", dataset)
    assert [run.point["seed"] for run in found] == [0] * 4 + [3] * 4
    assert [run.point["batch_size"] for run in found] == [2, 2, 8, 8] * 2
    assert {run.settings.select_on for run in found} == {"validation"}
    assert {run.data for run in found} == {dataset.fingerprint}


def test_a_batch_larger_than_the_training_set_is_refused(tmp_path):
    params = params_with(tmp_path, batch_size=[16, 41])
    assert len(plan.runs(params, "net4", toys.red_or_blue(train=41))) == 4
    why = "params.yaml: nets.net4.batch_size: 41 is more than the 40 images to train on"
    assert told(params, "net4", toys.red_or_blue(train=40)).startswith(why)
    why = "params.yaml: nets.baseline.batch_size"
    assert told(params, "baseline", toys.red_or_blue()).startswith(why)


def test_images_that_are_held_out_are_not_trained_on(tmp_path):
    held_out = {"select_on": "validation", "validation_fraction": 0.25}
    params = params_with(tmp_path, batch_size=[31], **held_out)
    assert params.nets["net4"].batch_size == (31,)
    assert "more than the 30 images" in told(params, "net4", toys.red_or_blue(train=40))


def test_a_validation_part_without_an_image_is_refused(tmp_path):
    params = params_with(tmp_path, select_on="validation", validation_fraction=0.02)
    dataset = toys.red_or_blue(train=40)
    assert "params.yaml: train.validation_fraction: 0.02 of each" in told(params, "net4", dataset)


@pytest.mark.parametrize("command", ["filter-ablation", "filter-identify"])
@pytest.mark.parametrize(
    ("filters", "why"),
    [({"conv1": [0], "conv9": [0]}, "'conv9'"), ({"conv1": [0, 4]}, "conv1 has no filter 4")],
)
def test_filters_that_the_network_lacks_are_refused_before_work(
    command, filters, why, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVSCOPE_WORKERS", "1")
    content = copy.deepcopy(projects.PARAMS)
    content["analysis"]["net"] = "net1"
    content["filter_ablation"]["filters"] = content["filter_identify"]["filters"] = filters
    YAML().dump(content, Path("params.yaml"))
    dataset = toys.red_or_blue()
    datasets.save(dataset, paths.DATASET)
    wanted = [toys.run(epochs=1, data=dataset.fingerprint)]
    grid.complete(wanted, paths.DATASET)
    grid.assemble(wanted, paths.models_of("net1"))
    assert cli.main([command]) == 2
    refused = capsys.readouterr().err
    for part in (why, "params.yaml", f"{command.replace('-', '_')}.filters"):
        assert part in refused
    assert refused.count("\n") == 1
    assert [path for path in paths.REPORTS.rglob("*") if path.is_file()] == []
