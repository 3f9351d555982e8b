from collections import OrderedDict

import pytest
import torch
from torch import nn

from convscope.analysis.ablation import joint, mean
from convscope.analysis.ablation.joint import Comparison
from convscope.nets.inference import logits
from convscope.nets.zoo import build
from tests.toys import assert_table, left_alone, noise, sure_of, weighted

CHOSEN = {"conv1": [0, 1], "conv3": [2], "conv2": [1]}


@pytest.fixture
def red_and_green():
    """Two 1x1 filters, r + 0.25 and g - 0.5, ReLU; logits: the sums of both maps of 2x2 pixels."""
    conv = weighted(nn.Conv2d(3, 2, 1), [[1, 0, 0], [0, 1, 0]], [0.25, -0.5])
    sums = weighted(nn.Linear(8, 2), [[1] * 4 + [0] * 4, [0] * 4 + [1] * 4], [0, 0])
    return nn.Sequential(OrderedDict(conv1=conv, relu1=nn.ReLU(), flatten=nn.Flatten(), fc1=sums))


@pytest.fixture
def two_images():
    """All red, a quarter green; and black."""
    images = torch.zeros(2, 3, 2, 2)
    images[0, 0] = images[0, 1, 0, 0] = 1
    return images


def test_means_are_of_what_the_next_layer_gets(red_and_green, two_images):
    with left_alone(red_and_green.train()):
        found = mean.means(red_and_green, {"conv1": [1, 0]}, two_images)
    # green: 0.5 at one of eight positions; red: 1.25 at four and 0.25 at four
    assert found["conv1"].tolist() == [0.5 / 8, 0.75]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [([], [[5, 0.5], [1, 0]]), ([0], [[3, 0.5], [3, 0]]), ([0, 1], [[3, 0.25], [3, 0.25]])],
)
def test_filters_give_their_means_everywhere(red_and_green, two_images, filters, expected):
    chosen = {"conv1": filters}
    with left_alone(red_and_green.train()):
        changed = mean.ablated(red_and_green, chosen, mean.means(red_and_green, chosen, two_images))
    assert logits(changed, two_images).tolist() == expected


def trained_net4():
    """Its normalizations are no identities, and its logits differ from image to image."""
    torch.manual_seed(1)
    module = build("net4", l1_oc=4)
    for norm in (child for child in module if isinstance(child, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
        nn.init.uniform_(norm.running_mean, -0.5, 0.5)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    with torch.no_grad():
        for layer in module:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight *= 4
    return module.eval()


def obvious(module, chosen, to, images, record=None):
    """One layer after another; what comes out of a ReLU becomes what is ablated ``to``."""
    maps, layer = images / 255, ""
    with torch.no_grad():
        for name, child in module.named_children():
            layer = name if name.startswith("conv") else layer
            maps = child(maps)
            # pooling stands before ReLU
            if name.startswith("relu") and layer in chosen:
                for index, number in enumerate(chosen[layer]):
                    if record is not None:
                        record[layer, number] = maps[:, number].double().mean().item()
                    if to:
                        maps[:, number] = to[layer][index].float()
    return maps


def test_ablated_networks_are_those_whose_maps_are_written_over():
    module, images = trained_net4(), noise(20)
    found, recorded = mean.means(module, CHOSEN, images), {}
    obvious(module, CHOSEN, {}, images, recorded)
    for layer, numbers in CHOSEN.items():
        expected = [recorded[layer, number] for number in numbers]
        assert found[layer].tolist() == pytest.approx(expected, rel=1e-5)
    after = logits(mean.ablated(module, CHOSEN, found), images)
    torch.testing.assert_close(after, obvious(module, CHOSEN, found, images), rtol=1e-4, atol=1e-4)
    at_zero = logits(joint.ablated(module, CHOSEN), images)
    for other in (at_zero, logits(module, images)):
        assert (after - other).abs().amax() > 1


def test_batches_do_not_matter(monkeypatch):
    module, images = trained_net4(), noise(7)
    together = mean.means(module, CHOSEN, images)
    monkeypatch.setattr(mean, "BATCH_SIZE", 3)
    apart = mean.means(module, CHOSEN, images)
    for layer, values in together.items():
        assert apart[layer].tolist() == pytest.approx(values.tolist(), rel=1e-6)


def test_a_filter_that_always_gives_the_same_changes_nothing(red_and_green, two_images):
    with torch.no_grad():
        red_and_green.conv1.weight[0] = 0
    chosen = {"conv1": [0]}
    changed = mean.ablated(red_and_green, chosen, mean.means(red_and_green, chosen, two_images))
    assert torch.equal(logits(changed, two_images), logits(red_and_green, two_images))


def test_what_the_network_does_not_have_is_refused(red_and_green, two_images):
    with pytest.raises(ValueError, match="conv1 has no filter 2: choose from 0 to 1"):
        mean.means(red_and_green, {"conv1": [2]}, two_images)


def test_both_ways_stand_side_by_side():
    labels, before = torch.tensor([0, 0, 1, 1]), sure_of(0, 0, 1, 0, classes=2)
    zeroed, averaged = (
        Comparison(labels, before, sure_of(*after, classes=2), ("cat", "dog"))
        for after in ((1, 1, 1, 1), (0, 1, 1, 0))
    )
    expected = """
        class    before_percent  zeroed_percent  averaged_percent  zeroed_drop_points  averaged_drop_points
        cat             100.0             0.0              50.0               100.0                  50.0
        dog              50.0           100.0              50.0               -50.0                   0.0
        overall          75.0            50.0              50.0                25.0                  25.0
    """  # noqa: E501
    assert_table(mean.class_accuracy(zeroed, averaged), expected)
