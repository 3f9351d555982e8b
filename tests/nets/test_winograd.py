import copy

import pytest
import torch
from torch import nn

from convscope.nets import winograd
from convscope.nets.winograd import Winograd, suitable


def _conv(inputs, outputs, padding=0, bias=True):
    return nn.Conv2d(inputs, outputs, 3, padding=padding, bias=bias).requires_grad_(False)


def _exact(conv, maps):
    """The outputs of torch's own convolution in float64."""
    return copy.deepcopy(conv).double()(maps.double())


@pytest.mark.parametrize(("padding", "bias"), [(0, True), (1, True), (0, False)])
@pytest.mark.parametrize(
    ("count", "size"),
    # 300 maps go through in parts
    [(3, (3, 3)), (3, (6, 6)), (3, (7, 5)), (3, (10, 15)), (3, (32, 32)), (300, (6, 10))],
)
def test_the_outputs_of_a_plain_convolution(count, size, padding, bias):
    torch.manual_seed(0)
    conv, maps = _conv(5, 7, padding, bias), torch.randn(count, 5, *size)
    found = Winograd(conv)(maps)
    torch.testing.assert_close(found.double(), _exact(conv, maps), atol=1e-5, rtol=0)


def _rounding():
    """The root mean square error, as a part of the outputs' standard deviation."""
    torch.manual_seed(0)
    conv, maps = _conv(192, 96), torch.randn(2, 192, 14, 14).relu()
    exact = _exact(conv, maps)
    return (Winograd(conv)(maps) - exact).square().mean().sqrt() / exact.std()


def test_rounding_stays_small_and_smaller_than_with_the_usual_points(monkeypatch):
    rounding = _rounding()
    assert rounding < 2e-6
    monkeypatch.setattr(winograd, "_POINTS", (0.0, 1.0, -1.0, 2.0, -2.0))
    for cached in (winograd._transforms, winograd._kronecker):
        monkeypatch.setattr(winograd, cached.__name__, cached.__wrapped__)
    assert 2 * rounding < _rounding() < 2e-5


@pytest.mark.parametrize("padding", [0, 1])
def test_what_pooling_does_not_read_is_left_out(padding):
    torch.manual_seed(0)
    conv, maps = _conv(2, 3, padding), torch.randn(2, 2, 15, 12)
    found = Winograd(conv, pooled=2)(maps)
    whole = conv(maps)
    assert found.shape[2:] == (whole.shape[2] // 2 * 2, whole.shape[3] // 2 * 2)
    torch.testing.assert_close(found, whole[:, :, : found.shape[2], : found.shape[3]])


def test_a_part_of_larger_maps_will_do():
    torch.manual_seed(0)
    conv, maps = _conv(2, 3), torch.randn(2, 2, 20, 20)
    for layout in (torch.contiguous_format, torch.channels_last):
        part = maps.contiguous(memory_format=layout)[:, :, 3:13, 1:19]
        torch.testing.assert_close(Winograd(conv).of_padded(part), conv(part))


def test_wide_plain_convolutions_in_fp32_are_suitable():
    assert suitable(nn.Conv2d(128, 128, 3))
    assert suitable(nn.Conv2d(64, 256, 3, padding=1, bias=False))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(64, 64, 3),
        nn.Conv2d(128, 128, 5),
        nn.Conv2d(128, 128, (3, 1)),
        nn.Conv2d(128, 128, 3, stride=2),
        nn.Conv2d(128, 128, 3, dilation=2),
        nn.Conv2d(128, 128, 3, groups=2),
        nn.Conv2d(128, 128, 3, padding=2),
        nn.Conv2d(128, 128, 3, padding="same"),
        nn.Conv2d(128, 128, 3, padding=1, padding_mode="circular"),
        nn.Conv2d(128, 128, 3).double(),
        nn.Conv2d(128, 128, 3, device="meta"),
        nn.Linear(128, 128),
    ],
    ids=str,
)
def test_other_layers_are_not(layer):
    assert not suitable(layer)
