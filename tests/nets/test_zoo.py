from itertools import product

import pytest
import torch
from torch import nn

from convscope.nets import receptive_field, zoo

# exact counts in grid order; those of the best runs are the study's
NET1 = """50677 12877 39949 14029 63802 13402 49402 14842 91192 15592 71464 19624 117766 16966 91270
22150 132679 19279 105679 27919 173026 21826 136738 33058"""
NET2 = "756442 508474 698122 1505470 1365694 2154430 3773950 4870654 8512510"
PUBLISHED = [
    *[
        ("net1", {"l1_oc": w, "filter_multiplier": m, "kernel_size": k, "stride": s}, int(count))
        for (w, m, k, s), count in zip(
            product((6, 12, 18), (1.5, 2), (3, 5), (1, 2)), NET1.split(), strict=True
        )
    ],
    *[
        ("net2", {"l1_oc": w, "kernel_size": k}, int(count))
        for (w, k), count in zip(product((18, 32, 64), (3, 5, 7)), NET2.split(), strict=True)
    ],
    ("net3", {"l1_oc": 32}, 1506430),
    ("net3", {"l1_oc": 64}, 3775870),
    ("net3", {"l1_oc": 96}, 6819454),
    ("net4", {"l1_oc": 64}, 4403518),
    ("baseline", {}, 62006),
]
NET4_FIELDS = [3, 5, 7, 12, 16, 20]


@pytest.mark.parametrize(("net", "point", "count"), PUBLISHED)
def test_parameter_counts_are_the_published_ones(net, point, count):
    with torch.device("meta"):
        assert zoo.parameter_count(zoo.build(net, **point)) == count


def test_net4_has_1280_filters():
    module = zoo.build("net4", l1_oc=64)
    layers = receptive_field.conv_layers(module)
    assert layers == [f"conv{i}" for i in range(1, 7)]
    assert sum(module.get_submodule(name).out_channels for name in layers) == 1280


@pytest.mark.parametrize("net", zoo.NETS)
def test_every_net_maps_images_to_logits(net):
    images = torch.rand(2, 3, 32, 32)
    assert zoo.build(net, l1_oc=6).eval()(images).shape == (2, 10)


def test_a_row_of_history_is_a_point():
    row = {
        "lr": 0.01,
        "batch_size": 128,
        "momentum": 0.9,
        "l1_oc": 32,
        "filter_multiplier": 2.0,
        "kernel_size": 3,
        "stride": 1,
        "dropout_rate": 0.5,
        "seed": 0,
    }
    module = zoo.build("net3", **row)
    assert zoo.parameter_count(module) == 1506430
    assert [child.p for child in module if isinstance(child, nn.Dropout)] == [0.5] * 3


def test_the_order_of_net3s_layers():
    names = [name for name, _ in zoo.build("net3", l1_oc=4).named_children()]
    base = "conv1 norm1 relu1 conv2 norm2 pool1 relu2 conv3 norm3 relu3 conv4 norm4 pool2 relu4"
    head = "flatten dropout1 fc1 relu5 dropout2 fc2 relu6 dropout3 fc3"
    assert names == f"{base} {head}".split()


def test_pooling_before_relu_changes_nothing():
    layers = zoo.layers("net2", l1_oc=4)
    torch.manual_seed(0)
    fast = zoo.build("net2", l1_oc=4)
    study = nn.Sequential()
    children = dict(fast.named_children())
    order = list(children)
    for pool in ("pool1", "pool2"):
        at = order.index(pool)
        order[at : at + 2] = [order[at + 1], pool]
    for name in order:
        study.add_module(name, children[name])
    kinds = [type(layer).__name__.lower() for layer in layers]
    assert [name.rstrip("0123456789") for name in order] == [
        {"linear": "fc"}.get(kind, kind) for kind in kinds
    ]
    images = torch.rand(3, 3, 32, 32)
    assert torch.equal(fast(images), study(images))


def test_net2_leaves_out_the_last_pool_of_a_1x1_map():
    names = [name for name, _ in zoo.build("net2", l1_oc=4, kernel_size=7).named_children()]
    assert "pool1" in names
    assert "pool2" not in names


def test_receptive_fields_of_net4():
    module = zoo.build("net4", l1_oc=4)
    sizes = [
        receptive_field.receptive_field(module, name).size
        for name in receptive_field.conv_layers(module)
    ]
    assert sizes == NET4_FIELDS


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
    for layer in receptive_field.conv_layers(module):
        field = receptive_field.receptive_field(module, layer)
        seen = _seen_by_middle_unit(module, layer)
        expected = torch.zeros(32, 32, dtype=torch.bool)
        middle = _maps(module, layer, torch.zeros(1, 3, 32, 32).double()).shape[-1] // 2
        start = field.start + middle * field.jump
        expected[max(0, start) : start + field.size, max(0, start) : start + field.size] = True
        assert torch.equal(seen, expected), layer


def _maps(module, layer, images):
    """The feature maps of a layer, average instead of max pooling: every pixel gets a gradient."""
    for name, child in module.named_children():
        if isinstance(child, nn.MaxPool2d):
            images = nn.functional.avg_pool2d(images, 2)
        elif not isinstance(child, nn.ReLU):
            images = child(images)
        if name == layer:
            return images
    raise AssertionError(layer)


def _seen_by_middle_unit(module, layer):
    images = torch.rand(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    maps = _maps(module, layer, images)
    middle = maps.shape[-1] // 2
    maps[0, 0, middle, middle].backward()
    return images.grad[0].abs().sum(0) > 0


def test_feature_layer_is_after_batch_norm_where_there_is_one():
    assert receptive_field.feature_layer(zoo.build("net4", l1_oc=4), "conv3") == "norm3"
    assert receptive_field.feature_layer(zoo.build("net2", l1_oc=4), "conv3") == "conv3"


@pytest.mark.parametrize(
    ("net", "point", "message"),
    [
        ("net9", {}, "unknown network 'net9'; known: baseline, net1"),
        ("net1", {"kernel_sise": 3}, "unknown key of a point: kernel_sise"),
        ("net1", {"kernel_size": 9, "stride": 2}, "feature map is too small for"),
        ("net1", {"dropout_rate": 0.5}, "net1 has no dropout, so dropout_rate must be 0"),
        ("net1", {"l1_oc": 1, "filter_multiplier": 0.5}, "a convolution would have no filters"),
    ],
)
def test_shapes_that_cannot_be_built(net, point, message):
    with pytest.raises(ValueError, match=message):
        zoo.build(net, **point)


def test_no_feature_map_of_that_name():
    with pytest.raises(ValueError, match="no feature map 'conv7'"):
        receptive_field.receptive_field(zoo.build("net4", l1_oc=4), "conv7")
