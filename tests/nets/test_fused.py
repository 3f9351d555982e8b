from collections import OrderedDict

import pytest
import torch
from torch import nn

from convscope.nets import zoo
from convscope.nets.fused import folded, fused
from convscope.nets.winograd import Winograd
from tests.toys import left_alone


def _told_apart(module):
    """The network in evaluation mode, with normalizations that have seen something."""
    torch.manual_seed(1)
    module.train()(torch.rand(8, 3, 32, 32))
    return module.eval()


@pytest.mark.parametrize(
    ("net", "point"),
    [("net1", {"l1_oc": 6}), ("net2", {"l1_oc": 8}), ("net3", {"l1_oc": 32}), ("net4", {})],
)
def test_the_same_outputs(net, point):
    torch.manual_seed(0)
    module, images = _told_apart(zoo.build(net, **point)), torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        expected = module(images)
        torch.testing.assert_close(folded(module)(images), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(fused(module)(images), expected, atol=1e-5, rtol=0)


def test_the_published_net4_has_its_wide_convolutions_by_winograd():
    found = fused(zoo.build("net4").eval()).named_children()
    pooled = {name: child.pooled for name, child in found if isinstance(child, Winograd)}
    # the pooling behind conv6 reads 12 of its 13 rows
    assert pooled == {"conv4": 1, "conv5": 1, "conv6": 2}


def test_the_network_stays_and_shares_what_is_not_replaced():
    module = _told_apart(zoo.build("net4", l1_oc=32))
    with left_alone(module):
        found = fused(module)
    assert [name for name, _ in module.named_children() if "norm" in name]
    assert [name for name, _ in found.named_children()] == [
        name for name, _ in module.named_children() if "norm" not in name
    ]
    assert found.fc1 is module.fc1


def test_a_normalization_without_a_convolution_before_it_stays():
    layers = OrderedDict(
        norm0=nn.BatchNorm2d(3),
        conv1=nn.Conv2d(3, 4, 3),
        relu1=nn.ReLU(),
        norm1=nn.BatchNorm2d(4),
        conv2=nn.Conv2d(4, 4, 3),
        norm2=nn.BatchNorm2d(4),
        norm3=nn.BatchNorm2d(4),
    )
    module, images = _told_apart(nn.Sequential(layers)), torch.rand(2, 3, 9, 9)
    found = folded(module)
    assert [*dict(found.named_children())] == ["norm0", "conv1", "relu1", "norm1", "conv2"]
    torch.testing.assert_close(found(images), module(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("pooling", "side"),
    [
        (nn.MaxPool2d(2), 2),
        (nn.MaxPool2d(3), 3),
        (nn.MaxPool2d(3, stride=2), 1),
        (nn.MaxPool2d(2, ceil_mode=True), 1),
        (nn.MaxPool2d(2, padding=1), 1),
        (nn.AvgPool2d(2), 1),
    ],
    ids=str,
)
def test_outputs_are_left_out_where_the_pooling_leaves_them_out(pooling, side):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), pooling).eval()
    maps = torch.rand(1, 128, 11, 10)
    found = fused(module)
    assert found[0].pooled == side
    with torch.inference_mode():
        torch.testing.assert_close(found(maps), module(maps), atol=1e-5, rtol=0)
