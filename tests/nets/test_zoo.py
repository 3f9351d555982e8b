from itertools import product

import pytest
import torch
from torch import nn

from convscope.nets import zoo
from convscope.nets.layers import Flatten, Linear
from convscope.nets.receptive_field import conv_layers
from tests import toys

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


@pytest.mark.parametrize(("net", "point", "count"), PUBLISHED)
def test_parameter_counts_are_the_published_ones(net, point, count):
    with torch.device("meta"):
        assert zoo.parameter_count(zoo.build(net, **point)) == count


def test_net4_has_1280_filters():
    convs = [child for child in zoo.build("net4", l1_oc=64) if isinstance(child, nn.Conv2d)]
    assert sum(conv.out_channels for conv in convs) == 1280


@pytest.mark.parametrize("net", zoo.NETS)
def test_every_net_maps_images_to_logits(net):
    images = torch.rand(2, 3, 32, 32)
    assert zoo.build(net, l1_oc=6).eval()(images).shape == (2, 10)


@pytest.mark.parametrize("net", zoo.NETS)
@pytest.mark.parametrize("classes", [2, 100])
def test_every_net_has_an_output_for_each_class(net, classes):
    module = zoo.build(net, l1_oc=6, classes=classes)
    assert module.eval()(torch.rand(1, 3, 32, 32)).shape == (1, classes)


def test_a_net_that_ends_otherwise_is_refused(monkeypatch):
    ends = zoo.Net(lambda shape: [shape.conv(0), Flatten(), Linear(7)], zoo.Shape(4))
    monkeypatch.setitem(zoo.NETS, "net9", ends)
    with pytest.raises(ValueError, match="net9 must end in"):
        zoo.build("net9")


def test_a_row_of_history_is_a_point():
    module = zoo.build("net3", **toys.POINT | {"l1_oc": 32.0, "dropout_rate": 0.5})
    assert zoo.parameter_count(module) == 1506430
    assert [child.p for child in module if isinstance(child, nn.Dropout)] == [0.5] * 3


def test_net2_leaves_out_the_last_pool_of_a_1x1_map():
    names = [name for name, _ in zoo.build("net2", l1_oc=4, kernel_size=7).named_children()]
    assert "pool1" in names
    assert "pool2" not in names


@pytest.mark.parametrize("net", zoo.NETS)
def test_the_widths_are_those_of_the_built_network(net):
    built = zoo.build(net, l1_oc=3)
    found = zoo.widths(net, l1_oc=3)
    assert found == {name: len(built.get_parameter(f"{name}.weight")) for name in found}
    assert list(found) == conv_layers(built)
