from collections import OrderedDict

import pytest
import torch
from torch import nn

from convscope.analysis.filters import tables
from convscope.analysis.filters.responses import Patch
from convscope.nets import receptive_field, zoo
from tests.toys import assert_table, weighted

CLASSES = ("cat", "dog", "ship")
LABELS = torch.tensor([0, 1, 1, 2])


@pytest.fixture
def images():
    """Black but for red pixels: one at the corner, three, two, none."""
    images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    for image, row, column in ((0, 0, 0), (1, 5, 7), (1, 5, 8), (1, 20, 3), (2, 31, 31), (2, 9, 9)):
        images[image, 0, row, column] = 255
    return images


@pytest.fixture
def module():
    """Filters red and -red, each the middle of a 3x3 kernel; then a second convolution."""
    weight = torch.zeros(2, 3, 3, 3)
    weight[:, 0, 1, 1] = torch.tensor([1.0, -1.0])
    conv = weighted(nn.Conv2d(3, 2, 3, padding=1, bias=False), weight)
    return nn.Sequential(OrderedDict(conv1=conv, pool1=nn.MaxPool2d(2), conv2=nn.Conv2d(2, 1, 3)))


@pytest.fixture
def found(module, images):
    return tables.identify(module, {"conv1": [0, 1]}, images, 3)


def test_filters_are_identified_by_their_top_images_and_patches(found):
    red, negative = found
    assert (red.name, red.layer, red.index, red.dead) == ("conv1/0", "conv1", 0, False)
    assert red.images.tolist() == [1, 2, 0]
    assert red.responses.tolist() == [3.0, 2.0, 1.0]
    # around (5, 7), the first of the largest by rows; around (9, 9); clipped around (0, 0)
    assert red.patches == [Patch(4, 6, 7, 9), Patch(8, 8, 11, 11), Patch(0, 0, 2, 2)]
    assert (negative.name, negative.index, negative.dead) == ("conv1/1", 1, True)
    assert negative.images.tolist() == [3, 0, 2]
    assert negative.responses.tolist() == [0.0, -1.0, -2.0]


def test_filters_come_in_the_order_in_which_they_are_chosen(module, images):
    chosen = {"conv2": [0], "conv1": [1, 0]}
    found = tables.identify(module, chosen, images, 2)
    assert [item.name for item in found] == ["conv2/0", "conv1/1", "conv1/0"]
    assert [len(item.patches) for item in found] == [2, 2, 2]


def test_equal_responses_come_in_the_order_of_the_images(module, images):
    # images with 3, 0, 1, 0, 2 and 1 red pixels
    several = images[[1, 3, 0, 3, 2, 0]]
    for top_k, expected in ((4, [0, 4, 2, 5]), (99, [0, 4, 2, 5, 1, 3])):
        (found,) = tables.identify(module, {"conv1": [0]}, several, top_k)
        assert found.images.tolist() == expected
    (found,) = tables.identify(module, {"conv1": [0]}, images[3:].expand(1000, -1, -1, -1), 3)
    assert found.images.tolist() == [0, 1, 2]


def test_what_the_network_does_not_have_is_refused(module, images):
    with pytest.raises(ValueError, match="the network has no 'conv3': choose from conv1, conv2"):
        tables.identify(module, {"conv3": [0]}, images, 3)


def test_class_frequency_names_the_commonest_class_of_equals_the_first(found):
    expected = """
        filter   cat  dog  ship  max_class
        conv1/0    1    2     0  dog
        conv1/1    1    1     1  cat
    """
    assert_table(tables.class_frequency(found, LABELS, CLASSES), expected)


def test_responses_of_the_top_images_and_dead_filters(found):
    # a map has 1024 pixels
    expected = """
        filter   layer  mean   max  mean_per_pixel  dead
        conv1/0  conv1   2.0   3.0    0.001953125   False
        conv1/1  conv1  -1.0   0.0   -0.0009765625  True
    """
    assert_table(tables.response_sizes(found), expected)


def test_dead_filters_are_counted_over_the_whole_layer(module, images):
    found = tables.identify(module, {"conv1": [0]}, images, 1)
    assert_table(
        tables.dead_by_layer(found),
        """
        layer  filters  dead_filters
        conv1  2        1
    """,
    )


def test_sparsity_is_of_the_whole_layer_and_of_the_top_images(module, images):
    # of 4 images of 1024 pixels 1, 3, 2 and none are red; the other filter is never above 0
    expected = f"""
        layer  filters  zero_share       top_zero_share
        conv1        2  {1 - 6 / 8192}   {1 - 2.5 / 1024}
    """
    assert_table(tables.sparsity(tables.identify(module, {"conv1": [0]}, images, 2)), expected)
    both = tables.sparsity(tables.identify(module, {"conv2": [0], "conv1": [0, 1]}, images, 2))
    assert both["layer"].tolist() == ["conv2", "conv1"]
    assert both["top_zero_share"][1] == 1 - 2.5 / 2048


def test_patch_sizes_of_net4_are_exact(images):
    module = zoo.build("net4", l1_oc=1)
    chosen = {layer: [0, 0] for layer in receptive_field.conv_layers(module)}
    found = tables.identify(module, chosen, images, 1)
    sizes = dict(tables.patch_sizes(found).itertuples(index=False))
    assert sizes == {"conv1": 3, "conv2": 5, "conv3": 7, "conv4": 12, "conv5": 16, "conv6": 20}


def test_every_top_image_with_its_rank_and_patch(found):
    # the largest value of a map without red is its first
    expected = """
        filter   rank  image  class  response  top  left  bottom  right
        conv1/0     1      1  dog         3.0    4     6       7      9
        conv1/0     2      2  dog         2.0    8     8      11     11
        conv1/0     3      0  cat         1.0    0     0       2      2
        conv1/1     1      3  ship        0.0    0     0       2      2
        conv1/1     2      0  cat        -1.0    0     0       2      3
        conv1/1     3      2  dog        -2.0    0     0       2      2
    """
    assert_table(tables.top_images(found, LABELS, CLASSES), expected)
