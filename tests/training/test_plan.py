import copy
from dataclasses import replace

from convscope.config import params_file
from convscope.nets import zoo
from convscope.training import plan
from tests import projects, toys


def params_with(tmp_path, net="net4", **changes):
    """The committed parameters with some keys of ``train`` and of a network's grid changed."""
    content = copy.deepcopy(projects.PARAMS)
    for key, value in changes.items():
        holder = content["train"] if key in content["train"] else content["nets"][net]
        holder[key.removeprefix("nets.")] = value
    projects.write_yaml(content, tmp_path / "params.yaml")
    return params_file.load(tmp_path / "params.yaml")


def test_runs_repeat_the_grid_for_each_seed(tmp_path):
    dataset = toys.red_or_blue(train=512)
    params = params_with(tmp_path, seeds=[0, 3], select_on="validation", batch_size=[2, 8])
    found = plan.runs(params, "net4", dataset)
    assert [run.point["seed"] for run in found] == [0] * 4 + [3] * 4
    assert [run.point["batch_size"] for run in found] == [2, 2, 8, 8] * 2
    assert {run.settings.select_on for run in found} == {"validation"}
    assert {run.data for run in found} == {dataset.fingerprint}


def test_the_networks_end_in_an_output_for_each_class_of_the_data(tmp_path):
    params, dataset = params_with(tmp_path), toys.red_or_blue(train=512)
    for run in plan.runs(params, "net4", dataset):
        assert zoo.build(run.net, **run.point).get_submodule("fc3").out_features == 2
    ten = replace(dataset, classes=tuple("0123456789"))
    # said nowhere: runs of ten classes keep the fingerprints that they had before others were there
    assert all("classes" not in run.point for run in plan.runs(params, "net4", ten))


def test_a_batch_larger_than_the_training_set_is_refused(tmp_path):
    params = params_with(tmp_path, batch_size=[16, 65])
    assert len(plan.runs(params, "net4", toys.red_or_blue(train=65))) == 4
    why = "params.yaml: nets.net4.batch_size: 65 is more than the 64 images to train on"
    # of a pipeline whichever grid comes first
    for net in ("baseline", "net4"):
        message = toys.refusal(plan.runs, params, net, toys.red_or_blue(train=64))
        assert message.startswith(why)


def test_a_last_batch_of_one_image_is_refused_where_batch_norm_would_fail(tmp_path):
    # the last map of a net3 with kernel 7 is 1x1
    dataset = toys.red_or_blue(train=65)
    assert plan.runs(params_with(tmp_path, "net3", batch_size=[64]), "net3", dataset)
    params = params_with(tmp_path, "net3", batch_size=[64], kernel_size=[3, 7])
    message = toys.refusal(plan.runs, params, "net1", dataset)
    assert message.startswith("params.yaml: nets.net3.batch_size: 65 images leave a last batch of")
    assert "kernel_size=7" in message
    assert plan.runs(params, "net3", toys.red_or_blue(train=66))


def test_a_grid_may_have_its_own_seeds(tmp_path):
    dataset = toys.red_or_blue(train=64)
    usual = plan.runs(params_with(tmp_path), "net4", dataset)
    params = params_with(tmp_path, **{"nets.seeds": [2, 0]})
    found = plan.runs(params, "net4", dataset)
    assert [run.point["seed"] for run in found] == [2, 2, 0, 0]
    assert [run.fingerprint for run in found[2:]] == [run.fingerprint for run in usual]
    assert {run.point["seed"] for run in plan.runs(params, "net3", dataset)} == {0}


def test_images_that_are_held_out_are_not_trained_on(tmp_path):
    held_out = {"select_on": "validation", "validation_fraction": 0.25}
    params = params_with(tmp_path, batch_size=[31], **held_out)
    assert params.nets["net4"].batch_size == (31,)
    message = toys.refusal(plan.runs, params, "net4", toys.red_or_blue(train=40))
    assert "more than the 30 images" in message


def test_a_validation_part_without_an_image_is_refused(tmp_path):
    params = params_with(tmp_path, select_on="validation", validation_fraction=0.02)
    message = toys.refusal(plan.runs, params, "net4", toys.red_or_blue(train=40))
    assert "params.yaml: train.validation_fraction: 0.02 of each" in message
