import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

from convscope.analysis.occlusion import tables
from convscope.analysis.occlusion.sensitivity import Survey

SHOWN = torch.tensor([7, 2, 9])
NAMES = ["ship", "cat", "ship"]
CLEAN = torch.tensor([0.75, 0.5, 1.0])
MAPS = {
    5: torch.tensor(
        [
            [[0.5, 0.25], [0.75, 0.5]],
            [[0.5, 0.5], [0.5, 0.5]],
            [[1.0, 1.0], [0.5, 0.5]],
        ]
    ),
    # one position; the window raises the second image's confidence
    2: torch.tensor([[[0.25]], [[0.75]], [[0.5]]]),
}


@pytest.fixture
def images():
    return tables.by_image(SHOWN, NAMES, CLEAN, MAPS)


def test_a_row_for_each_image_and_window(images):
    expected = {
        "image": [7, 2, 9, 7, 2, 9],
        "class": ["ship", "cat", "ship", "ship", "cat", "ship"],
        "window": [5, 5, 5, 2, 2, 2],
        "clean_confidence": [0.75, 0.5, 1.0, 0.75, 0.5, 1.0],
        "mean_confidence": [0.5, 0.5, 0.75, 0.25, 0.75, 0.5],
        "min_confidence": [0.25, 0.5, 0.5, 0.25, 0.75, 0.5],
        "deepest_drop": [0.5, 0.0, 0.5, 0.5, -0.25, 0.5],
        # the corners are (0, 1), (0, 0) and (1, 0); half a window further are the centers
        "drop_row": [2.0, 2.0, 3.0, 0.5, 0.5, 0.5],
        "drop_column": [3.0, 2.0, 2.0, 0.5, 0.5, 0.5],
    }
    assert_frame_equal(images, pd.DataFrame(expected))


def test_means_by_window_are_in_the_order_of_the_windows(images):
    expected = {
        "window": [5, 2],
        "clean_confidence": [0.75, 0.75],
        "mean_confidence": [1.75 / 3, 0.5],
        "min_confidence": [1.25 / 3, 0.5],
        "deepest_drop": [1 / 3, 0.25],
    }
    assert_frame_equal(tables.by_window(images), pd.DataFrame(expected))


def test_means_by_class_are_over_the_images_of_a_class(images):
    expected = {
        "class": ["ship", "cat", "ship", "cat"],
        "window": [5, 5, 2, 2],
        "clean_confidence": [0.875, 0.5, 0.875, 0.5],
        "mean_confidence": [0.625, 0.5, 0.375, 0.75],
        "min_confidence": [0.375, 0.5, 0.375, 0.75],
        "deepest_drop": [0.5, 0.0, 0.5, -0.25],
    }
    assert_frame_equal(tables.by_class(images), pd.DataFrame(expected))


def test_headlines_are_the_mean_confidence_without_and_by_window(images):
    found = tables.headlines(images)
    assert list(found) == ["clean_confidence", "confidence_5", "confidence_2"]
    assert list(found.values()) == pytest.approx([0.75, 1.75 / 3, 0.5])
    assert {type(value) for value in found.values()} == {float}


def test_a_long_map_has_a_row_for_each_position():
    maps = torch.tensor([[[0.1, 1 / 3], [2 / 3, 1.0]], [[0.0, 1e-7], [0.25, 0.5]]])
    table = tables.long_map(torch.tensor([7, 2]), maps)
    # six digits, although 0.1 is 0.10000000149 in float32
    expected = {
        "image": [7, 7, 7, 7, 2, 2, 2, 2],
        "row": [0, 0, 1, 1, 0, 0, 1, 1],
        "column": [0, 1, 0, 1, 0, 1, 0, 1],
        "confidence": [0.1, 0.333333, 0.666667, 1.0, 0.0, 0.0, 0.25, 0.5],
    }
    assert_frame_equal(table, pd.DataFrame(expected), check_exact=True)


def entry(window, centers, confidence, accuracy, by_position, deepest):
    values = (centers, confidence, accuracy, by_position, deepest)
    return Survey(window, *(torch.tensor(value) for value in values))


CLEAN_ENTRY = entry(0, [15.5], [1.0, 0.5, 0.75, 0.75], [1.0, 0.0, 1.0, 1.0], [[0.75]], [[1.0]])


def test_the_fall_by_class_leaves_out_classes_without_images():
    surveyed = [
        CLEAN_ENTRY,
        entry(3, [15.5], [0.5, 0.25, 0.5, 0.75], [0.75, 0.0, 0.25, 1.0], [[0.5]], [[1.0]]),
    ]
    table = tables.fall(surveyed, torch.tensor([2, 0, 2, 0]), ("cat", "dog", "ship"))
    expected = {
        "class": ["all", "all", "cat", "cat", "ship", "ship"],
        "window": [0, 3, 0, 3, 0, 3],
        "images": [4, 4, 2, 2, 2, 2],
        "confidence": [0.75, 0.5, 0.625, 0.5, 0.875, 0.5],
        "accuracy": [0.75, 0.5, 0.5, 0.5, 1.0, 0.5],
    }
    assert_frame_equal(table, pd.DataFrame(expected))


def test_the_deepest_drops_have_a_row_for_each_window_and_position():
    small = entry(3, [10.0, 20.0], [0.5], [1.0], [[0.5, 0.4], [0.3, 0.2]], [[0.0, 0.25], [0.75, 0]])
    large = entry(9, [16.0], [0.5], [1.0], [[0.125]], [[1.0]])
    table = tables.deepest_by_position([CLEAN_ENTRY, small, large])
    expected = {
        "window": [3, 3, 3, 3, 9],
        "row": [10.0, 10.0, 20.0, 20.0, 16.0],
        "column": [10.0, 20.0, 10.0, 20.0, 16.0],
        "mean_confidence": [0.5, 0.4, 0.3, 0.2, 0.125],
        "deepest_share": [0.0, 0.25, 0.75, 0.0, 1.0],
    }
    assert_frame_equal(table, pd.DataFrame(expected))


def test_distances_are_from_the_image_s_center_beside_those_by_chance():
    # an image of 9 pixels has its center at 4: offsets -3, 0 and 3, of which only 0 is central
    share = [[0.5, 0.25, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 0.0]]
    middle = entry(3, [1.0, 4.0, 7.0], [0.5], [1.0], [[0.5] * 3] * 3, share)
    alone = entry(9, [4.0], [0.5], [1.0], [[0.5]], [[1.0]])
    positions = tables.deepest_by_position([middle, alone])
    table = tables.deepest_by_window(positions, images=16, size=9)
    corner = 18**0.5
    chance = (4 * corner + 4 * 3) / 9
    squares = (4 * 18 + 4 * 9) / 9
    expected = {
        "window": [3, 9],
        "images": [16, 16],
        "mean_distance": [corner / 2 + 0.75, 0.0],
        "chance_distance": [chance, 0.0],
        "standard_error": [(squares - chance**2) ** 0.5 / 4, 0.0],
        "central_share": [0.25, 1.0],
        "chance_share": [1 / 9, 1.0],
    }
    assert_frame_equal(table, pd.DataFrame(expected))
