import numpy as np
import pytest
import torch

from convscope.figures import maps


def drawn(rows):
    pictures = torch.zeros(rows, 3, 32, 32, dtype=torch.uint8)
    values = {k: np.full((rows, 33 - k, 33 - k), k / 100) for k in (3, 13)}
    return maps.confidence_maps(pictures, [f"cat (0.{row}0)" for row in range(rows)], values)


def test_a_row_has_the_image_and_a_map_for_each_window():
    page, _ = drawn(2).axes
    assert len(page.images) == 2 * 3
    labels = [text.get_text() for text in page.texts[1:]]
    assert labels == ["3 x 3 window", "13 x 13 window", "cat (0.00)", "cat (0.10)"]
    means = [float(np.mean(image.get_array())) for image in page.images[:3]]
    assert means == pytest.approx([0, 0.03, 0.13])


def test_all_maps_and_the_color_bar_share_the_scale_0_to_1():
    page, bar = drawn(2).axes
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
