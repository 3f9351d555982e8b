import base64
from collections import OrderedDict

import numpy as np
import pytest
import torch
from tests import toys
from tests.report.explorer import networks
from torch import nn
from torch.nn import functional

from convscope.nets import zoo
from convscope.report.explorer import network


def weights(packed):
    kept = np.frombuffer(base64.b64decode(packed["packed"]), np.uint8).reshape(-1, 3)
    words = np.zeros((len(kept), 4), np.uint8)
    words[:, 1:] = kept
    return torch.from_numpy(words.view("<f4").ravel().copy())


def rerun(packed, images):
    """What the packed layers make of images, by torch's own functions."""
    values, output = weights(packed), images
    for layer in packed["layers"]:
        if "weight" in layer:
            weight = values[layer["weight"] : layer["bias"]]
            width = len(weight) // layer["taps"] if layer["kind"] != "norm" else layer["channels"]
            bias = values[layer["bias"] : layer["bias"] + width]
        match layer["kind"]:
            case "conv":
                shape = layer["channels"], layer["kernel"], layer["kernel"], width
                kernels = weight.view(shape).permute(3, 0, 1, 2)
                assert output.shape[1:] == (layer["channels"], layer["input"], layer["input"])
                output = functional.conv2d(output, kernels, bias, layer["stride"], layer["padding"])
            case "norm":
                output = output * weight[:, None, None] + bias[:, None, None]
            case "pool":
                output = functional.max_pool2d(output, layer["kernel"], layer["stride"])
            case "relu":
                output = output.relu()
            case "flatten":
                output = output.flatten(1)
            case "linear":
                output = output @ weight.view(layer["taps"], width) + bias
        assert output[0].numel() == layer["outputs"]
        assert layer["size"] == (output.shape[2] if output.ndim == 4 else 1)
    return output


@pytest.mark.parametrize("name", [*networks.NETS, "norms"])
def test_the_packed_layers_give_the_network_s_logits_and_it_stays_as_it_is(name):
    module = networks.built(name)
    images = toys.noise(3).float() / 255
    with torch.no_grad():
        expected = module(images)
    with toys.left_alone(module.train()):
        packed = network.packed(module)
    torch.testing.assert_close(rerun(packed, images), expected, atol=5e-4, rtol=0)
    kinds = [layer["kind"] for layer in packed["layers"]]
    assert ("norm" in kinds) is (name == "norms")
    assert "dropout" not in kinds


def test_layers_and_weights_of_a_network_of_two():
    conv = toys.weighted(nn.Conv2d(3, 2, 1, stride=2), [[1, 2, 3], [4, 5, 6]], [7.0, 8.0])
    module = nn.Sequential(
        OrderedDict(
            conv1=conv,
            drop=nn.Dropout(0.5),
            flatten=nn.Flatten(),
            fc1=nn.Linear(512, 1, bias=False),
        )
    )
    toys.weighted(module.fc1, torch.arange(512.0))
    packed = network.packed(module)
    assert packed["layers"] == [
        {
            "kind": "conv",
            "name": "conv1",
            "channels": 3,
            "outputs": 512,
            "input": 32,
            "size": 16,
            "kernel": 1,
            "stride": 2,
            "padding": 0,
            "weight": 0,
            "bias": 6,
            "taps": 3,
        },
        {"kind": "flatten", "channels": 512, "size": 1, "outputs": 512, "kernel": 16},
        {
            "kind": "linear",
            "channels": 1,
            "size": 1,
            "outputs": 1,
            "weight": 8,
            "bias": 520,
            "taps": 512,
        },
    ]
    # by input, then filter; a layer without biases has zeros
    assert weights(packed).tolist() == [1, 4, 2, 5, 3, 6, 7, 8, *range(512), 0]


@pytest.mark.parametrize(
    "layer",
    [
        nn.AvgPool2d(2),
        nn.MaxPool2d(3),
        nn.MaxPool2d(2, stride=1),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.MaxPool2d(2, padding=1),
        nn.Sigmoid(),
        nn.Conv2d(3, 3, 3, groups=3),
        nn.Conv2d(3, 3, 3, dilation=2),
        nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(3, 3, (1, 3)),
        nn.Conv2d(3, 3, 3, stride=(1, 2)),
        nn.Conv2d(3, 3, 3, padding=(1, 0)),
        nn.Conv2d(3, 3, 3, padding="same"),
    ],
    ids=str,
)
def test_a_layer_that_the_script_does_not_know_is_refused(layer):
    module = nn.Sequential(OrderedDict(odd=layer, flatten=nn.Flatten()))
    with pytest.raises(ValueError, match="script does not know layer odd"):
        network.packed(module)


def test_products_are_those_of_each_output_with_each_of_its_inputs():
    module = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 2, 3, padding=1),
            norm1=nn.BatchNorm2d(2),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(2, 5, 5),
            flatten=nn.Flatten(),
            fc1=nn.Linear(5 * 12 * 12, 10),
        )
    )
    expected = 2 * 32 * 32 * 27 + 5 * 12 * 12 * 50 + 10 * 720
    with toys.left_alone(module):
        assert network.products(module) == expected


def test_convolutions_have_their_maps_and_what_a_unit_sees():
    found = network.convolutions(zoo.build("net4", l1_oc=5))
    names = [f"conv{number}" for number in range(1, 7)]
    assert [each["name"] for each in found] == names
    assert [each["filters"] for each in found] == [5, 5, 10, 20, 20, 40]
    assert [each["size"] for each in found] == [32, 32, 30, 15, 15, 13]
    # the study's receptive fields
    assert [each["field"]["size"] for each in found] == [3, 5, 7, 12, 16, 20]
    assert found[3]["field"] == {"size": 12, "jump": 2, "start": -4}
    # maps after norms, of a network that strides
    strided = network.convolutions(networks.built("norms"))
    assert [(each["filters"], each["size"]) for each in strided] == [(4, 16), (5, 15)]


@pytest.mark.parametrize(
    ("net", "width", "live"),
    [("net1", 18, True), ("net3", 16, True), ("net4", 12, True), ("net4", 64, False)],
)
def test_the_narrow_networks_run_in_a_page_and_the_published_ones_do_not(net, width, live):
    assert network.is_live(zoo.build(net, l1_oc=width)) is live


def test_what_makes_a_network_too_wide_is_its_weights_or_its_products(monkeypatch):
    module = networks.built("net1")
    monkeypatch.setattr(network, "MOST_PRODUCTS", network.products(module))
    monkeypatch.setattr(network, "MOST_WEIGHTS", zoo.parameter_count(module))
    assert network.is_live(module)
    monkeypatch.setattr(network, "MOST_PRODUCTS", network.products(module) - 1)
    assert not network.is_live(module)
    monkeypatch.undo()
    monkeypatch.setattr(network, "MOST_WEIGHTS", zoo.parameter_count(module) - 1)
    assert not network.is_live(module)
