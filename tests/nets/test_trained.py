import json

import pytest
import torch

from convscope.base import files, paths, tensors
from convscope.nets import trained, zoo
from tests import toys
from tests.stages.conftest import save

DATASET = toys.red_or_blue()
RUN = toys.run("net3", dropout_rate=0.5, data=DATASET.fingerprint)
WEIGHTS = f"runs/{RUN.id}/{paths.WEIGHTS}"


@pytest.fixture
def model_folder(here):  # noqa: ARG001
    """A model folder with two runs, the second of which is the best."""
    for seed, run in enumerate((toys.run("net3", lr=0.5), RUN)):
        torch.manual_seed(seed)
        folder = save(run, zoo.build(run.net, **run.point), DATASET)
    return folder


def refusal(folder):
    message = toys.refusal(trained.load_best, folder, RUN.data)
    assert "run `convscope train net3`" in message
    return message


def test_the_best_run_s_weights_come_back_in_evaluation_mode(model_folder):
    module, best = trained.load_best(model_folder, RUN.data)
    assert best == json.loads((model_folder / paths.BEST).read_text())
    assert not any(part.training for part in module.modules())
    stored, _ = tensors.read_tensors(model_folder / WEIGHTS, "train net3")
    torch.manual_seed(1)
    drawn = zoo.build(RUN.net, **RUN.point)
    for expected in (stored, drawn.state_dict()):
        torch.testing.assert_close(dict(module.state_dict()), dict(expected), rtol=0, atol=0)
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(module(images), drawn.eval()(images))


@pytest.mark.parametrize("name", [paths.BEST, WEIGHTS])
def test_without_a_file_the_stage_that_makes_it_is_named(model_folder, name):
    (model_folder / name).unlink()
    assert refusal(model_folder).startswith(f"{model_folder / name} is missing")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"net3"', '{"id": "a"}', "\0"])
def test_a_best_json_that_is_none_is_refused(model_folder, content):
    (model_folder / paths.BEST).write_text(content)
    assert refusal(model_folder).startswith(f"{model_folder / paths.BEST} is damaged")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": 7}, "id: Input should be a valid string"),
        ({"fingerprint": 7}, "fingerprint: Input should be a valid string"),
        ({"md5": None}, "md5: Input should be a valid dictionary"),
        ({"md5": {}}, paths.WEIGHTS),
        ({"net": "net9"}, "unknown network 'net9'; known: baseline, net1"),
        ({"point": None}, "point: Input should be a valid dictionary"),
        ({"best": {"epoch": 1}}, "best.test_accuracy: Field required"),
        ({"settings": {}}, "settings.augment: Field required"),
        ({"settings": {"augment": {"blur": 1}}}, "settings.augment.blur"),
        ({"total_parameters": "many"}, "total_parameters: Input should be a valid integer"),
        ({"point": {"width": 3}}, "unknown key of a point: width"),
        ({"point": {"kernel_size": 33}}, "too small for a 33x33 convolution"),
        ({"point": {"kernel_size": -3}}, "negative dimension"),
        ({"point": {"stride": 0}}, "zero"),
    ],
)
def test_a_best_json_that_names_no_network_is_refused_with_the_reason(model_folder, changes, why):
    path = model_folder / paths.BEST
    files.write_json(path, json.loads(path.read_text()) | changes)
    message = refusal(model_folder)
    assert message.startswith(f"{path} is damaged")
    assert why in message


def test_a_network_of_another_data_set_is_refused(model_folder):
    assert toys.refusal(trained.load_best, model_folder, "another") == (
        f"{model_folder} was trained on another data set than the one that is here: run "
        "`convscope train net3` (or `dvc repro`)"
    )


def test_weights_that_fit_but_are_others_are_refused(model_folder):
    weights = model_folder / WEIGHTS
    flipped = bytearray(weights.read_bytes())
    flipped[-1] ^= 1
    weights.write_bytes(flipped)
    expected = f"{weights} is damaged (its md5 is not the one in best.json)"
    assert refusal(model_folder).startswith(expected)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [("point", "lr", 0.5), ("settings", "epochs", 60), ("identity", "code", "f" * 64)],
)
def test_a_best_json_that_says_of_a_run_what_it_was_not_is_refused(part, key, value, model_folder):
    best = json.loads((model_folder / paths.BEST).read_text())
    best[part][key] = value
    files.write_json(model_folder / paths.BEST, best)
    assert "its fingerprint is that of another run" in refusal(model_folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused_though_their_digest_is_right(model_folder, value):
    stored, _ = tensors.read_tensors(model_folder / WEIGHTS, "train net3")
    stored["fc3.bias"][2] = value
    tensors.write_tensors(model_folder / WEIGHTS, stored)
    best = json.loads((model_folder / paths.BEST).read_text())
    best["md5"][paths.WEIGHTS] = files.digest(model_folder / WEIGHTS)
    files.write_json(model_folder / paths.BEST, best)
    assert "holds values that are not finite numbers" in refusal(model_folder)


def found_in_the_wild(state):
    """Weights as others keep them, by what is said of them."""
    other = zoo.build("net1", **toys.POINT).state_dict()
    return {
        "its fc3.weight is float32 (11, 84), not float32 (10, 84)": state
        | {"fc3.weight": torch.zeros(11, 84)},
        "it lacks fc3.weight": {key: value for key, value in state.items() if key != "fc3.weight"},
        "it holds module.conv1.bias, which the network in best.json does not have": {
            f"module.{key}": value for key, value in state.items()
        },
        "its conv1.weight is float16": {key: value.half() for key, value in state.items()},
        "it lacks norm1.weight": other,
    }


@pytest.mark.parametrize("at", range(5))
def test_weights_that_do_not_fit_the_network_are_refused_with_what_they_are(model_folder, at):
    weights = model_folder / WEIGHTS
    wild = found_in_the_wild(tensors.read_tensors(weights, "train net3")[0])
    named, state = list(wild.items())[at]
    tensors.write_tensors(weights, state)
    message = refusal(model_folder)
    assert message.startswith(f"{weights} is damaged ({named}")
    assert len(message) < 300


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_that_torch_saved_are_named(model_folder, zipped):
    weights = model_folder / WEIGHTS
    torch.save({"a": torch.ones(1)}, weights, _use_new_zipfile_serialization=zipped)
    assert "it is a file of torch.save, not of safetensors" in refusal(model_folder)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_weights_that_are_cut_are_refused(model_folder, kept):
    weights = model_folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:kept])
    assert refusal(model_folder).startswith(f"{weights} is damaged (")
