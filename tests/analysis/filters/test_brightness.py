from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from convscope.analysis.filters import brightness
from convscope.nets.zoo import build
from tests.toys import left_alone, noise, weighted


@pytest.fixture
def four_filters():
    """1x1 filters: all colors alike, red less green, red alone, and nothing."""
    weights = [[2, 2, 2], [1, -1, 0], [1, 0, 0], [0, 0, 0]]
    conv = weighted(nn.Conv2d(3, 4, 1), weights, [0, 9, 0, 0])
    return nn.Sequential(OrderedDict(conv1=conv, relu1=nn.ReLU()))


@pytest.fixture
def primary_colors():
    """One image of four pixels: black, red, green and blue."""
    image = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    for color, (row, column) in enumerate(((0, 1), (1, 0), (1, 1))):
        image[0, color, row, column] = 16
    return image


def test_correlations_and_likeness_by_hand(four_filters, primary_colors):
    with left_alone(four_filters.train()):
        seen = brightness.covariance(four_filters, primary_colors)
        found = brightness.by_filter(four_filters, seen)
    # of 4 pixels each color is 16 in one: variance 256 / 4 - 4^2, covariance of two -4^2
    assert seen.tolist() == [[48, -16, -16], [-16, 48, -16], [-16, -16, 48]]
    assert found["filter"].tolist() == [f"conv1/{number}" for number in range(4)]
    # red is 16, 0, 0, 0 and the mean 16/3 where a color is: covariance 16/3, variances 48 and 16/3
    assert found["correlation"].tolist() == pytest.approx([1, 0, 1 / 3, 0])
    assert found["cosine"].tolist() == pytest.approx([1, 0, 3**-0.5, 0])


@pytest.mark.parametrize("net", ["net4", "net1"])
def test_correlations_are_those_of_the_responses_themselves(net):
    torch.manual_seed(0)
    module, images = build(net, l1_oc=5, stride=1 if net == "net4" else 2), noise(6)
    if net == "net4":
        nn.init.uniform_(module.norm1.weight, -1, 1)
        nn.init.uniform_(module.norm1.running_mean)
    found = brightness.by_filter(module, brightness.covariance(module, images))
    conv = module.conv1
    last = 2 if net == "net4" else 1
    with torch.no_grad():
        maps = module.eval()[:last](images / 255).transpose(0, 1).flatten(1).double()
        ones = torch.ones_like(conv.weight[:1])
        means = nn.functional.conv2d(images / 255, ones, None, conv.stride, conv.padding)
    for row, filter_map in zip(found.itertuples(), maps, strict=True):
        reference = np.corrcoef(filter_map, means.flatten().double())[0, 1]
        assert row.correlation == pytest.approx(reference, abs=1e-6)
    assert found["correlation"].between(-1, 1).all()


def test_weights_of_which_nothing_varies_have_no_correlation():
    # of gray images red less green is always 0, but for rounding
    gray = noise(3, size=8)[:, :1].expand(-1, 3, -1, -1)
    conv = weighted(nn.Conv2d(3, 2, 1), [[0.1, -0.3, 0.2], [0.1, 0.3, 0.2]])
    module = nn.Sequential(OrderedDict(conv1=conv))
    found = brightness.by_filter(module, brightness.covariance(module, gray))
    assert found["correlation"].tolist() == pytest.approx([0, 1])
    black = torch.zeros_like(gray)
    found = brightness.by_filter(module, brightness.covariance(module, black))
    assert found["correlation"].tolist() == [0, 0]


def test_batches_change_no_bit(four_filters, monkeypatch):
    images = noise(7)
    together = brightness.covariance(four_filters, images)
    monkeypatch.setattr(brightness, "BATCH_SIZE", 2)
    assert torch.equal(brightness.covariance(four_filters, images), together)


def test_chance_is_as_many_filters_of_random_weights(four_filters, primary_colors):
    seen = brightness.covariance(four_filters, primary_colors)
    found = brightness.by_filter(four_filters, seen)
    (row,) = brightness.by_chance(found, seen, drawn=99).itertuples()
    assert (row.filters, row.drawn, row.highest) == (4, 99, 1)
    # none of the 99 is as high
    assert row.p_value == pytest.approx(1 - 0.99**4)
    # and each is at least as high as the lowest that there is
    lowest = brightness.by_chance(found.assign(correlation=-1.0), seen, drawn=99)
    assert lowest["p_value"].tolist() == [1]


def test_the_median_of_the_highest_is_that_of_many_draws(four_filters, primary_colors):
    seen = brightness.covariance(four_filters, primary_colors)
    found = brightness.by_filter(four_filters, seen)
    (row,) = brightness.by_chance(found, seen, drawn=8000).itertuples()
    generator = torch.Generator().manual_seed(0)
    weights = 2 * torch.rand(8000, 3, generator=generator, dtype=torch.float64) - 1
    highest = brightness.correlations(weights, seen).view(-1, 4).amax(1)
    assert row.chance_highest == pytest.approx(float(highest.median()), abs=0.02)
