"""What the stage writes, compared with windows that are slid by hand."""

import pytest
import torch
from tests.stages.conftest import CLASSES

from convscope.data.datasets import drawn_by_class
from convscope.stages import occlusion

STAGE = occlusion
PARAMS = """occlusion:
  images: 5
  window_sizes: [9, 21]
  survey_images: 12
  survey_stride: 6
  seed: 3
"""
GRAY = 128


def confidence(project, image, window=0, row=0, column=0):
    """The probability of the image's label, and whether it is the highest."""
    pixels = project.images[image].clone()
    pixels[:, row : row + window, column : column + window] = GRAY
    with torch.no_grad():
        shares = project.module(pixels[None].float() / 255).softmax(1)[0]
    label = project.labels[image]
    return shares[label].item(), bool(shares.argmax() == label)


def slid(project, image, window, stride):
    room = 32 - window
    places = range(room % stride // 2, room + 1, stride)
    return torch.tensor(
        [confidence(project, image, window, row, column) for row in places for column in places]
    )


def test_maps_are_of_the_images_and_labels_that_were_drawn(project, table):
    by_image = table("by_image")
    assert len(by_image) == 5 * 2
    for window in (9, 21):
        mapped = table(f"map_{window}")
        assert len(mapped) == 5 * (33 - window) ** 2
        for row in mapped.iloc[::37].itertuples():
            expected, _ = confidence(project, row.image, window, row.row, row.column)
            assert row.confidence == pytest.approx(expected, abs=2e-5)


def test_each_image_has_its_class_its_clean_confidence_and_its_mean(project, table):
    for row in table("by_image").itertuples():
        assert row[2] == CLASSES[project.labels[row.image]]
        clean, _ = confidence(project, row.image)
        assert row.clean_confidence == pytest.approx(clean, abs=1e-5)
        under = slid(project, row.image, row.window, stride=1)[:, 0]
        assert row.mean_confidence == pytest.approx(under.mean().item(), abs=1e-5)
        assert row.min_confidence == pytest.approx(under.min().item(), abs=1e-5)


def test_confidence_is_also_summed_over_each_map(project, table):
    rows = table("by_window_sums").set_index("window")
    images = table("by_image")["image"].unique()
    clean = sum(confidence(project, image)[0] for image in images) / len(images)
    for window in (9, 21):
        mapped = table(f"map_{window}").groupby("image")["confidence"].sum()
        assert rows["sum_confidence"][window] == pytest.approx(mapped.mean(), abs=1e-3)
        assert rows["positions"][window] == (33 - window) ** 2
        unchanged = clean * (33 - window) ** 2
        assert rows["unchanged_sum"][window] == pytest.approx(unchanged, abs=1e-3)


def test_the_survey_is_of_its_own_images_labels_and_step(project, table):
    fall = table("fall_with_window")
    # the draw takes every class about equally often: 4 of each color
    assert set(fall[fall["class"] != "all"]["images"]) == {4}
    overall = fall[fall["class"] == "all"].set_index("window")
    assert overall["images"].tolist() == [12, 12, 12]
    assert 0 < overall["accuracy"][0] < 1
    drawn = drawn_by_class(project.labels, 12, seed=3).tolist()
    for window in (0, 9, 21):
        means = torch.stack([slid(project, image, window, stride=6).mean(0) for image in drawn])
        share, right = means.mean(0).tolist()
        assert overall["confidence"][window] == pytest.approx(share, abs=1e-5)
        assert overall["accuracy"][window] == pytest.approx(right, abs=1e-6)


def test_the_deepest_drops_are_counted_over_the_survey(table):
    assert table("deepest_by_window")["images"].tolist() == [12, 12]
    shares = table("deepest_by_position").groupby("window")["deepest_share"].sum()
    assert shares.tolist() == pytest.approx([1, 1])
