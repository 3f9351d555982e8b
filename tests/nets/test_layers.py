import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from convscope.nets import layer_table, layers
from convscope.nets.layers import Conv, Dropout, Flatten, Linear, Norm, Pool, ReLU


def built(layer_list):
    """A layer list's module without weights: only shapes."""
    with torch.device("meta"):
        return layers.assemble(layer_list)


@pytest.mark.parametrize(
    ("layer_list", "names"),
    [
        (
            [Conv(4, 3), Norm(), ReLU(), Conv(6, 3), Flatten(), Dropout(0.5), Linear(10)],
            "conv1 norm1 relu1 conv2 flatten dropout1 fc1",
        ),
        (
            [Conv(4, 3), ReLU(), Pool(), Conv(4, 3), Norm(), Pool(), ReLU(), Pool()],
            "conv1 pool1 relu1 conv2 norm1 pool2 pool3 relu2",
        ),
    ],
)
def test_children_are_numbered_by_kind_and_pooling_goes_before_relu(layer_list, names):
    assert [name for name, _ in built(layer_list).named_children()] == names.split()


def test_a_child_is_what_its_layer_says():
    module = built([Conv(4, 5, 2, 1), Norm(), Pool(), ReLU(), Flatten(), Dropout(0.3), Linear(7)])
    kinds = [nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.ReLU, nn.Flatten, nn.Dropout, nn.Linear]
    assert [type(child) for child in module] == kinds
    conv, norm, pool, _, _, dropout, linear = module
    assert (conv.in_channels, conv.out_channels) == (3, 4)
    assert (conv.kernel_size, conv.stride, conv.padding) == ((5, 5), (2, 2), (1, 1))
    assert (norm.num_features, norm.eps, norm.momentum) == (4, 1e-5, 0.1)
    assert (pool.kernel_size, pool.stride) == (2, 2)
    assert dropout.p == 0.3
    # (32 + 2 - 5) // 2 + 1 = 15; 15 // 2 = 7; 4 channels of 7 x 7
    assert (linear.in_features, linear.out_features) == (196, 7)
    assert conv.bias is not None
    assert linear.bias is not None


CONVS = st.builds(
    Conv, st.integers(1, 3), st.integers(1, 9), stride=st.integers(1, 3), padding=st.integers(0, 2)
)


@example([])
@example([Pool()] * 5)
@example([Conv(1, 5, stride=2, padding=1), Conv(1, 4), Pool()])
@settings(max_examples=60, deadline=None)
@given(st.lists(CONVS | st.builds(Pool) | st.builds(ReLU) | st.builds(Norm), max_size=6))
def test_sizes_are_torchs_and_what_vanishes_there_is_refused(layer_list):
    try:
        size = layers.final_size(layer_list)
    except ValueError:
        with pytest.raises(ValueError, match="is too small for"):
            built(layer_list)
        return
    images = torch.empty(1, 3, 32, 32, device="meta")
    assert built(layer_list).eval()(images).shape[2:] == (size, size)


@pytest.mark.parametrize(
    ("layer_list", "message"),
    [
        ([*[Pool()] * 4, Conv(1, 3)], "the 2x2 feature map is too small for a 3x3 convolution"),
        ([*[Pool()] * 5, Pool()], "the 1x1 feature map is too small for a 2x2 pooling"),
        ([*[Pool()] * 4, Conv(1, 5, stride=2)], "the 2x2 .* for a 5x5 convolution"),
    ],
)
@pytest.mark.parametrize("made", [layers.final_size, built, layer_table.table])
def test_a_map_that_would_vanish_is_refused_with_its_size(layer_list, message, made):
    with pytest.raises(ValueError, match=message):
        made(layer_list)


def test_the_order_of_pool_and_relu_changes_no_number():
    torch.manual_seed(0)
    module = layers.assemble([Conv(4, 3), ReLU(), Pool()])
    images = torch.rand(2, 3, 32, 32)
    slow = nn.Sequential(module.conv1, nn.ReLU(), nn.MaxPool2d(2))
    assert module(images).equal(slow(images))
    assert slow(images).eq(0).any()  # so the rectifier had something to do
