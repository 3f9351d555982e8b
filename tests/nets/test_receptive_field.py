import pytest
import torch
from torch import nn

from convscope.nets import zoo
from convscope.nets.receptive_field import conv_layers, feature_layer, receptive_field


def test_receptive_fields_of_net4():
    module = zoo.build("net4", l1_oc=4)
    assert conv_layers(module) == [f"conv{i}" for i in range(1, 7)]
    sizes = [receptive_field(module, name).size for name in conv_layers(module)]
    assert sizes == [3, 5, 7, 12, 16, 20]
    # 7 + 1 pixel, and 20 + 1 step of 2 pixels
    assert [receptive_field(module, name).size for name in ("pool1", "pool2")] == [8, 22]


@pytest.mark.parametrize(
    ("net", "point"),
    [
        ("net1", {"l1_oc": 3, "kernel_size": 5, "stride": 2}),
        ("net2", {"l1_oc": 3, "kernel_size": 5}),
        ("net4", {"l1_oc": 3}),
    ],
)
def test_receptive_fields_by_gradient(net, point):
    torch.manual_seed(1)
    module = zoo.build(net, **point).double().eval()
    names = [name for name, _ in module.named_children()]
    # with average pooling and without rectifiers every pixel gets a gradient
    smooth = {nn.MaxPool2d: nn.AvgPool2d(2), nn.ReLU: nn.Identity()}
    children = [smooth.get(type(child), child) for child in module]
    for layer in conv_layers(module):
        images = torch.rand(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
        maps = nn.Sequential(*children[: names.index(layer) + 1])(images)
        middle = maps.shape[-1] // 2
        maps[0, 0, middle, middle].backward()
        field = receptive_field(module, layer)
        start = field.start + middle * field.jump
        expected = torch.zeros(32, 32, dtype=torch.bool)
        expected[max(0, start) : start + field.size, max(0, start) : start + field.size] = True
        assert torch.equal(images.grad[0].abs().sum(0) > 0, expected), layer


def test_feature_layer_is_after_batch_norm_where_there_is_one():
    assert feature_layer(zoo.build("net4", l1_oc=4), "conv3") == "norm3"
    assert feature_layer(zoo.build("net2", l1_oc=4), "conv3") == "conv3"


def test_no_feature_map_of_that_name():
    with pytest.raises(ValueError, match="no feature map 'conv7'"):
        receptive_field(zoo.build("net4", l1_oc=4), "conv7")
