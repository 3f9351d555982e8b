import numpy as np
import pytest
import torch
from tests.figures.labels import words
from tests.toys import table

from convscope.figures import maps

WINDOWS = [f"{size} \N{MULTIPLICATION SIGN} {size} window" for size in (3, 13)]


def drawn(rows):
    pictures = torch.zeros(rows, 3, 32, 32, dtype=torch.uint8)
    values = {k: torch.full((rows, 33 - k, 33 - k), k / 100) for k in (3, 13)}
    return maps.confidence_maps(pictures, [f"cat (0.{row}0)" for row in range(rows)], values)


def test_a_row_has_the_image_and_a_map_for_each_window_on_the_color_bars_scale_0_to_1():
    page, bar = drawn(2).axes
    assert len(page.images) == 2 * 3
    assert words(page.texts[1:]) == [*WINDOWS, "cat (0.00)", "cat (0.10)"]
    means = [float(np.mean(image.get_array())) for image in page.images[:3]]
    assert means == pytest.approx([0, 0.03, 0.13])
    colored = [image for image in page.images if image.get_array().ndim == 2]
    assert len(colored) == 4
    assert all((image.norm.vmin, image.norm.vmax) == (0, 1) for image in colored)
    assert bar.get_ylim() == pytest.approx((0, 1))


def test_a_maps_pixel_stands_where_the_center_of_the_window_stood():
    page, _ = drawn(1).axes
    frame = page.patches[1]
    left, right, bottom, top = page.images[2].get_extent()
    # the first 13 x 13 window covers pixels 0..12; its center is pixel 6; an image pixel is 4 wide
    assert (left - frame.get_x(), top - frame.get_y()) == (24, 24)
    assert (right - left, bottom - top) == (80, 80)


@pytest.fixture
def positions():
    return table("""
        window   row  column  mean_confidence  deepest_share
             3   6.0     6.0            0.864            0.7
             3   6.0    22.0            0.864            0.1
             3  22.0     6.0            0.848            0.1
             3  22.0    22.0            0.848            0.1
            13  16.0    16.0            0.754            1.0
    """)


def test_positions_are_drawn_where_the_centers_of_the_windows_stood(positions):
    small, large, *_ = maps.by_position(positions, size=32).axes
    assert [axes.get_title(loc="left") for axes in (small, large)] == WINDOWS
    # centers at 6 and 22 are 16 apart; a single position covers the whole image
    assert small.images[0].get_extent() == [-2, 30, 30, -2]
    assert large.images[0].get_extent() == [0, 32, 32, 0]
    assert small.lines[0].get_xydata().tolist() == [[15.5, 15.5]]
    cells = np.array([[0.864, 0.864], [0.848, 0.848]])
    assert np.asarray(small.images[0].get_array()) == pytest.approx(cells)


def test_deepest_drops_are_relative_to_chance_and_share_a_scale(positions):
    _, _, small, large, *bars = maps.by_position(positions, size=32).axes
    cells = np.array([[2.8, 0.4], [0.4, 0.4]])
    assert np.asarray(small.images[0].get_array()) == pytest.approx(cells)
    assert np.asarray(large.images[0].get_array()).tolist() == [[1]]
    assert [bar.get_ylim() for bar in bars] == [pytest.approx((0.754, 0.864)), (0, 2.8)]
    assert small.images[0].norm is large.images[0].norm
