from itertools import product

import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal

from convscope.analysis.occlusion import tables
from convscope.analysis.occlusion.sensitivity import Survey
from tests.toys import assert_table

SHOWN = torch.tensor([7, 2, 9])
NAMES = ["ship", "cat", "ship"]
CLEAN = torch.tensor([0.75, 0.5, 1.0])
MAPS = {
    5: torch.tensor([[0.5, 0.25, 0.75, 0.5], [0.5] * 4, [1.0, 1.0, 0.5, 0.5]]).view(3, 2, 2),
    # one position; the window raises the second image's confidence
    2: torch.tensor([[[0.25]], [[0.75]], [[0.5]]]),
}


@pytest.fixture
def images():
    return tables.by_image(SHOWN, NAMES, CLEAN, MAPS)


def test_a_row_for_each_image_and_window(images):
    # the corners are (0, 1), (0, 0) and (1, 0); half a window further are the centers
    names = "image class window clean_confidence mean_confidence min_confidence deepest_drop"
    expected = f"""
        {names} drop_row drop_column
        7  ship  5  0.75  0.50  0.25   0.50  2.0  3.0
        2  cat   5  0.50  0.50  0.50   0.00  2.0  2.0
        9  ship  5  1.00  0.75  0.50   0.50  3.0  2.0
        7  ship  2  0.75  0.25  0.25   0.50  0.5  0.5
        2  cat   2  0.50  0.75  0.75  -0.25  0.5  0.5
        9  ship  2  1.00  0.50  0.50   0.50  0.5  0.5
    """
    assert_table(images, expected)


def test_means_by_window_are_in_the_order_of_the_windows(images):
    expected = """
        window  clean_confidence  mean_confidence  min_confidence  deepest_drop
             5              0.75     0.5833333333    0.4166666667  0.3333333333
             2              0.75     0.5             0.5           0.25
    """
    assert_table(tables.means(images, "window"), expected)


def test_means_by_class_are_over_the_images_of_a_class(images):
    expected = """
        class  window  clean_confidence  mean_confidence  min_confidence  deepest_drop
        ship        5             0.875            0.625           0.375          0.50
        cat         5             0.500            0.500           0.500          0.00
        ship        2             0.875            0.375           0.375          0.50
        cat         2             0.500            0.750           0.750         -0.25
    """
    assert_table(tables.means(images, "class", "window"), expected)


def test_sums_over_a_map_and_what_they_would_be_if_windows_took_nothing():
    maps = {2: torch.tensor([[[0.5, 0.25], [0.5, 0.75]], [[1.0, 0.0], [0.0, 0.0]]])}
    maps[3] = torch.tensor([[[0.5]], [[0.25]]])
    images = tables.by_image(SHOWN[:2], NAMES[:2], CLEAN[:2], maps)
    expected = """
        window  positions  sum_confidence  unchanged_sum
             2          4           1.500            2.5
             3          1           0.375          0.625
    """
    assert_table(tables.sums(images, size=3), expected)


def test_headlines_are_the_mean_confidence_without_and_by_window(images):
    found = tables.headlines(images)
    assert list(found) == ["clean_confidence", "confidence_5", "confidence_2"]
    assert list(found.values()) == pytest.approx([0.75, 1.75 / 3, 0.5])
    assert {type(value) for value in found.values()} == {float}


def test_a_long_map_has_a_row_for_each_position():
    maps = torch.tensor([[[0.1, 1 / 3], [2 / 3, 1.0]], [[0.0, 1e-7], [0.25, 0.5]]])
    table = tables.long_map(torch.tensor([7, 2]), maps)
    # six digits, although 0.1 is 0.10000000149 in float32
    assert table.pop("confidence").tolist() == [0.1, 0.333333, 0.666667, 1.0, 0.0, 0.0, 0.25, 0.5]
    assert list(table) == ["image", "row", "column"]
    places = list(table.itertuples(index=False, name=None))
    assert places == [(image, *place) for image in (7, 2) for place in product((0, 1), repeat=2)]


def entry(window, *values):
    return Survey(window, *map(torch.tensor, values))


CLEAN_ENTRY = entry(0, [15.5], [1.0, 0.5, 0.75, 0.75], [1.0, 0.0, 1.0, 1.0], [[0.75]], [[1.0]])


def test_the_fall_by_class_leaves_out_classes_without_images():
    surveyed = [
        CLEAN_ENTRY,
        entry(3, [15.5], [0.5, 0.25, 0.5, 0.75], [0.75, 0.0, 0.25, 1.0], [[0.5]], [[1.0]]),
    ]
    table = tables.fall(surveyed, torch.tensor([2, 0, 2, 0]), ("cat", "dog", "ship"))
    expected = """
        class  window  images  confidence  accuracy
        all         0       4       0.750      0.75
        all         3       4       0.500      0.50
        cat         0       2       0.625      0.50
        cat         3       2       0.500      0.50
        ship        0       2       0.875      1.00
        ship        3       2       0.500      0.50
    """
    assert_table(table, expected)


def test_the_deepest_drops_have_a_row_for_each_window_and_position():
    small = entry(3, [10.0, 20.0], [0.5], [1.0], [[0.5, 0.4], [0.3, 0.2]], [[0.0, 0.25], [0.75, 0]])
    large = entry(9, [16.0], [0.5], [1.0], [[0.125]], [[1.0]])
    expected = """
        window   row  column  mean_confidence  deepest_share
             3  10.0    10.0            0.500           0.00
             3  10.0    20.0            0.400           0.25
             3  20.0    10.0            0.300           0.75
             3  20.0    20.0            0.200           0.00
             9  16.0    16.0            0.125           1.00
    """
    assert_table(tables.deepest_by_position([CLEAN_ENTRY, small, large]), expected)


def test_distances_are_from_the_image_s_center_and_compared_with_chance():
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
