from collections import OrderedDict

import pytest
import torch
from torch import nn

from convscope.analysis.filters import responses
from convscope.analysis.filters.responses import Patch, measure, patch
from convscope.nets.receptive_field import Field, feature_layer, receptive_field
from convscope.nets.zoo import build
from tests.toys import left_alone, noise, weighted


def maps_of(module, layer, images):
    """The maps that a convolution's responses are taken from."""
    names = [name for name, _ in module.named_children()]
    return module[: names.index(feature_layer(module, layer)) + 1](images)


@pytest.fixture
def red_and_its_negative():
    """Filters red and -red, then 2 (x - mean) + 1 with means 0.5 and 0, then layers that fail."""
    conv = weighted(nn.Conv2d(3, 2, 1, bias=False), [[1, 0, 0], [-1, 0, 0]])
    norm = weighted(nn.BatchNorm2d(2, eps=0), [2, 2], [1, 0])
    norm.running_mean.copy_(torch.tensor([0.5, 0]))
    rest = {"relu1": nn.ReLU(), "flatten": nn.Flatten(), "fc1": nn.Linear(1, 1)}
    return nn.Sequential(OrderedDict(conv1=conv, norm1=norm, **rest))


@pytest.fixture
def two_red_images():
    """All black but for red pixels: one at (1, 2); two at (0, 1) and (1, 0)."""
    images = torch.zeros(2, 3, 2, 3, dtype=torch.uint8)
    images[0, 0, 1, 2] = 255
    images[1, 0, 0, 1] = images[1, 0, 1, 0] = 255
    images[:, 1:] = 77
    return images


@pytest.mark.parametrize("training", [True, False])
def test_responses_of_hand_weighted_filters_in_evaluation_mode_and_the_mode_restored(
    red_and_its_negative, two_red_images, training
):
    with left_alone(red_and_its_negative.train(training)):
        found = measure(red_and_its_negative, ["conv1"], two_red_images)["conv1"]
    # filter 0: 2 for red, 0 for black; filter 1: -2 for red, 0 for black
    assert found.total.tolist() == [[2, -2], [4, -4]]
    assert found.largest.tolist() == [[2, 0], [2, 0]]
    assert found.position.tolist() == [[[1, 2], [0, 0]], [[0, 1], [0, 0]]]
    assert found.dead().tolist() == [False, True]
    # of six pixels one is red, or two
    assert found.positive.tolist() == [[1, 0], [2, 0]]
    assert found.zeros().flatten().tolist() == pytest.approx([5 / 6, 1, 4 / 6, 1])


def test_one_pass_measures_every_wanted_layer_and_none_behind_the_last():
    module = build("net4", l1_oc=2)
    images, passes = noise(3), []
    for name, child in module.named_children():
        child.register_forward_hook(lambda *_, name=name: passes.append(name))
    together = measure(module, ["conv4", "conv1"], images, batch_size=8)
    assert len(passes) == len(set(passes))
    assert passes[-1] == feature_layer(module, "conv4")
    assert list(together) == ["conv4", "conv1"]
    for layer, found in together.items():
        alone = measure(module, [layer], images, batch_size=8)[layer]
        assert torch.equal(found.total, alone.total)
        assert torch.equal(found.position, alone.position)
    assert (together["conv1"].pixels, together["conv4"].pixels) == (1024, 225)


def test_responses_without_batch_norm_are_those_before_relu(red_and_its_negative, two_red_images):
    del red_and_its_negative.norm1
    found = measure(red_and_its_negative, ["conv1"], two_red_images)["conv1"]
    assert found.total.tolist() == [[1, -1], [2, -2]]


@pytest.mark.parametrize("batch_size", [1, 2, 100])
@pytest.mark.parametrize("layer", ["conv1", "conv3", "conv6"])
def test_responses_are_those_of_one_image_at_a_time(layer, batch_size):
    torch.manual_seed(0)
    module = build("net4", l1_oc=2).eval()
    images = noise(5)
    found = measure(module, [layer], images, batch_size)[layer]
    with torch.no_grad():
        maps = torch.cat([maps_of(module, layer, image[None] / 255) for image in images])
    torch.testing.assert_close(found.total, maps.sum((2, 3)))
    torch.testing.assert_close(found.largest, maps.amax((2, 3)))
    torch.testing.assert_close(found.zeros(), (maps.relu() == 0).double().mean((2, 3)))
    row, column = found.position.unbind(2)
    there = maps.flatten(2).gather(2, (row * maps.shape[3] + column)[..., None])
    torch.testing.assert_close(there[..., 0], maps.amax((2, 3)))


def test_an_unknown_layer_is_refused(red_and_its_negative, two_red_images):
    with pytest.raises(ValueError, match=r"no convolution 'conv2' .* it has conv1"):
        measure(red_and_its_negative, ["conv2"], two_red_images)["conv2"]


def test_a_filter_is_dead_only_if_no_image_makes_it_positive():
    largest = torch.tensor([[-1.0, -1, 0, 3], [-2, 1e-6, -1, 2]])
    found = responses.Responses(largest, largest, largest, largest > 0, 1)
    assert found.dead().tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ((0, 0), Patch(0, 0, 3, 3)),
        ((1, 2), Patch(0, 2, 5, 7)),
        ((3, 14), Patch(4, 26, 9, 31)),
        ((15, 7), Patch(28, 12, 32, 17)),
        ((0, 15), Patch(0, 28, 3, 32)),
    ],
)
def test_patch_is_clipped_at_the_borders(position, expected):
    assert patch(position, Field(size=5, jump=2, start=-2)) == expected


@pytest.mark.parametrize("layer", ["conv1", "conv3", "conv5", "conv6"])
def test_the_largest_value_depends_on_its_patch_alone(layer):
    torch.manual_seed(0)
    module = build("net4", l1_oc=2).eval()
    images = noise(4)
    found = measure(module, [layer], images)[layer]
    inputs = (images / 255).requires_grad_()
    maps = maps_of(module, layer, inputs)
    for index in range(4):
        row, column = found.position[index, 1].tolist()
        part = patch((row, column), receptive_field(module, layer))
        (gradient,) = torch.autograd.grad(maps[index, 1, row, column], inputs, retain_graph=True)
        rows, columns = slice(part.top, part.bottom), slice(part.left, part.right)
        inside = gradient[index, :, rows, columns].count_nonzero()
        assert inside > 0
        assert gradient.count_nonzero() == inside


def test_pictures_are_symmetric_about_gray_on_each_filter_s_own_scale():
    weight = torch.zeros(3, 3, 1, 2)
    weight[0, 0, 0] = torch.tensor([2.0, -1])
    weight[1, 2, 0] = torch.tensor([-0.25, 0.125])
    found = responses.first_layer_pictures(weight)
    assert found[0].tolist() == [[[1, 0.25]], [[0.5, 0.5]], [[0.5, 0.5]]]
    assert found[1].tolist() == [[[0.5, 0.5]], [[0.5, 0.5]], [[0, 0.75]]]
    assert found[2].unique().tolist() == [0.5]
