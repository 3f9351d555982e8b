"""What the stage writes of filters that are colors."""

import pytest
import torch
from tests.stages.conftest import CLASSES

from convscope.stages import filter_identify

STAGE = filter_identify
PARAMS = """filter_identify:
  filters: {conv1: [2, 0], conv2: [1]}
  top_k: 4
  shown: 2
"""
SELECTED = {"conv1/2": 2, "conv1/0": 0, "conv2/1": 1}


def sums(project, name):
    """The sum of a filter's map for every image: of a color's pixels, or of their 2x2 maxima."""
    pixels = project.images[:, SELECTED[name]].double() / 255
    if name.startswith("conv2"):
        pixels = pixels.unflatten(1, (16, 2)).unflatten(3, (16, 2)).amax((2, 4))
    return pixels.sum((1, 2))


def test_top_images_are_those_with_the_most_of_the_color(project, table):
    found = table("top_images")
    for name in SELECTED:
        rows = found[found["filter"] == name]
        expected = sums(project, name).sort(descending=True)
        assert rows["image"].tolist() == expected.indices[:4].tolist()
        assert rows["response"].tolist() == pytest.approx(expected.values[:4].tolist())
        assert rows["class"].tolist() == [CLASSES[project.labels[image]] for image in rows["image"]]


def test_responses_and_classes_are_of_the_top_images(project, table):
    responses = table("responses").set_index("filter")
    frequency = table("class_frequency").set_index("filter")
    for name in SELECTED:
        expected = sums(project, name).sort(descending=True)
        assert responses.loc[name, "mean"] == pytest.approx(expected.values[:4].mean().item())
        assert responses.loc[name, "max"] == pytest.approx(expected.values[0].item())
        labels = project.labels[expected.indices[:4]].tolist()
        assert frequency.loc[name, list(CLASSES)].tolist() == [labels.count(c) for c in range(10)]
    assert not responses["dead"].any()
    per_pixel = responses["mean"] / responses["mean_per_pixel"]
    assert per_pixel.tolist() == pytest.approx([1024, 1024, 256])


def test_dead_filters_are_counted_over_all_of_the_layers(table):
    found = table("dead_by_layer")
    assert found["layer"].tolist() == ["conv1", "conv2"]
    assert found["filters"].tolist() == [3, 3]
    assert found["dead_filters"].tolist() == [0, 0]


def test_the_crop_of_a_color_is_its_brightest_pixel(project, table):
    found = table("crops")
    assert found.groupby("filter")["rank"].max().tolist() == [2, 2, 2]
    for row in found[found["filter"] == "conv1/2"].itertuples():
        pixels = project.images[row.image, 2]
        assert pixels[row.top, row.left] == pixels.max()
        assert (row.bottom - row.top, row.right - row.left) == (1, 1)
        assert row.sum == pytest.approx(pixels.max().item() / 255)
    assert table("crops_by_layer")["images"].tolist() == [4, 2]


def test_the_maps_of_colors_are_zero_where_pixels_are_black(project, table):
    found = table("sparsity").set_index("layer")
    pooled = project.images.unflatten(2, (16, 2)).unflatten(4, (16, 2)).amax((3, 5))
    black = {"conv1": project.images == 0, "conv2": pooled == 0}
    for layer, zeros in black.items():
        assert found["zero_share"][layer] == pytest.approx(zeros.double().mean().item())
        names = [name for name in SELECTED if name.startswith(layer)]
        tops = [sums(project, name).sort(descending=True).indices[:4] for name in names]
        of_top = [
            zeros[top, SELECTED[name]].double().mean()
            for name, top in zip(names, tops, strict=True)
        ]
        assert found["top_zero_share"][layer] == pytest.approx(sum(of_top).item() / len(names))


def test_a_color_is_as_bright_as_it_correlates_with_the_mean(project, table):
    found = table("brightness").set_index("filter")["correlation"]
    pixels = project.images.double().transpose(0, 1).flatten(1)
    for number in range(3):
        pair = torch.stack([pixels[number], pixels.mean(0)])
        assert found[f"conv1/{number}"] == pytest.approx(torch.corrcoef(pair)[0, 1].item())
    assert table("brightness_by_chance")["highest"].tolist() == [found.max()]


def test_a_patch_is_the_brightest_pixel_of_the_color(project, table):
    found = table("top_images")
    for row in found[found["filter"] == "conv1/2"].itertuples():
        pixels = project.images[row.image, 2]
        assert pixels[row.top, row.left] == pixels.max()
        assert (row.bottom - row.top, row.right - row.left) == (1, 1)
