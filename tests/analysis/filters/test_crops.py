from collections import OrderedDict

import pytest
import torch
from torch import nn

from convscope.analysis.filters import crops, responses, tables
from convscope.analysis.filters.responses import Patch
from convscope.nets.zoo import build
from tests.toys import assert_table, left_alone, noise, weighted


@pytest.fixture
def sees_red():
    """Red in the middle of a 3x3 kernel, less 0.5; and its negative."""
    weight = torch.zeros(2, 3, 3, 3)
    weight[:, 0, 1, 1] = torch.tensor([1.0, -1.0])
    conv = weighted(nn.Conv2d(3, 2, 3, padding=1), weight, [-0.5, 0.5])
    return nn.Sequential(OrderedDict(conv1=conv, flatten=nn.Flatten()))


@pytest.fixture
def images():
    """Black but for red pixels: one at (9, 9) and three around (20, 21); one at the corner."""
    pixels = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    for image, row, column in ((0, 9, 9), (0, 20, 20), (0, 20, 22), (0, 22, 21), (1, 0, 0)):
        pixels[image, 0, row, column] = 255
    return pixels


@pytest.fixture
def found(sees_red, images):
    identified = tables.identify(sees_red, {"conv1": [0, 1]}, images, 2)
    with left_alone(sees_red.train()):
        return crops.best(sees_red, identified, images, 2)


def test_the_crop_that_sums_highest_is_not_always_around_the_largest_value(found):
    # 9 pixels of -0.5 and three of red; then one of red, in the first crop that has the corner,
    # which stands a pixel outside; of less red the first crop without any, whose sum is 4.5
    expected = """
        filter   rank  image    sum  top  left  bottom  right  overlap
        conv1/0     1      0   -1.5   20    20      23     23  0.0
        conv1/0     2      1   -3.5    0     0       2      2  1.0
        conv1/1     1      1    4.5    0     1       2      4  0.5
        conv1/1     2      0    4.5    0     0       2      2  1.0
    """
    table = crops.by_image(found)
    # the patch of the first image is around (9, 9), of the third around (0, 1), clipped
    assert_table(table.round(6), expected)


def test_how_often_both_ways_agree_by_layer_and_by_chance(found):
    table = crops.by_layer(found)
    assert table[["layer", "crop_size", "images", "agree_share"]].to_numpy().tolist() == [
        ["conv1", 3, 4, 0.75]
    ]
    chance = []
    for crop in found:
        patch = crop.filter.patches[crop.rank - 1]
        pixels = covered(patch)
        others = [covered(Patch(t, u, t + 3, u + 3)) for t in range(-1, 31) for u in range(-1, 31)]
        chance.append(sum(alike(other, pixels) >= 0.5 for other in others) / len(others))
    assert table["agree_by_chance"].tolist() == pytest.approx([sum(chance) / 4])


def covered(patch):
    rows, columns = range(patch.top, patch.bottom), range(patch.left, patch.right)
    return {(i, j) for i in rows for j in columns if 0 <= i < 32 and 0 <= j < 32}


def alike(some, others):
    return len(some & others) / len(some | others)


@pytest.mark.parametrize(("net", "layer", "side"), [("net4", "conv4", 13), ("net1", "conv2", 9)])
def test_best_crops_are_those_of_one_crop_at_a_time(net, layer, side):
    torch.manual_seed(0)
    module, images = build(net, l1_oc=2).eval(), noise(3)
    identified = tables.identify(module, {layer: [1]}, images, 3)
    (crop,) = crops.best(module, identified, images, first=1)
    padded = nn.functional.pad(images[identified[0].images[0]], (1, 1, 1, 1))
    sums = {
        (i - 1, j - 1): summed(module, layer, padded[:, i : i + side, j : j + side])
        for i in range(34 - side + 1)
        for j in range(34 - side + 1)
    }
    (row, column), most = max(sums.items(), key=lambda item: item[1])
    assert (crop.side, crop.total) == (side, pytest.approx(most, abs=1e-4))
    assert covered(crop.covers) == covered(Patch(row, column, row + side, column + side))
    patch = covered(identified[0].patches[0])
    assert crop.overlap == pytest.approx(alike(covered(crop.covers), patch))


def summed(module, layer, crop):
    return responses.measure(module, [layer], crop[None])[layer].total[0, 1].item()


def test_a_unit_that_sees_more_than_the_image_has_one_crop(images):
    module = build("net2", l1_oc=2, kernel_size=7)
    (item,) = tables.identify(module, {"conv4": [0]}, images, 1)
    assert item.field.size == 38
    (crop,) = crops.best(module, [item], images, 5)
    assert (crop.side, crop.covers, crop.chance) == (34, Patch(0, 0, 32, 32), 1)
