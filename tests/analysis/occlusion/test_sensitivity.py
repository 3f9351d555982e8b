import math
from itertools import product

import pytest
import torch
from torch import nn

from convscope.analysis.occlusion.sensitivity import (
    answers,
    confidence_maps,
    confidences,
    survey,
)
from tests.toys import left_alone, noise, weighted

GRAY = 128 / 255
IMAGES, LABELS = noise(3, size=12), torch.tensor([2, 0, 9])


@pytest.fixture
def convolutional():
    """A random network for 12x12 images with every kind of layer that the study's have."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(96, 10)),
    )


def _one_pixel_network(size, row, column):
    """Logits (v, 0), where v is ln 3 for a white, 0 for a gray pixel (row, column) in channel 1."""
    slope = math.log(3) / (1 - GRAY)
    weight = torch.zeros(2, 3, size, size)
    weight[0, 1, row, column] = slope
    linear = weighted(nn.Linear(3 * size * size, 2), weight, [-slope * GRAY, 0])
    return nn.Sequential(nn.Flatten(), linear)


@pytest.mark.parametrize("white", [torch.tensor(255, dtype=torch.uint8), torch.tensor(1.0)])
def test_map_of_a_network_that_looks_at_one_pixel(white):
    white = white.expand(1, 3, 4, 4)
    module = _one_pixel_network(4, row=1, column=3)
    # the true class has odds 3 to 1, and 1 to 1 where the 2x2 window covers pixel (1, 3)
    expected = torch.tensor([[0.75, 0.75, 0.5], [0.75, 0.75, 0.5], [0.75, 0.75, 0.75]])
    found = confidence_maps(module, white, torch.tensor([0]), 2)
    torch.testing.assert_close(found, expected[None])
    found = confidence_maps(module, white, torch.tensor([1]), 2)
    torch.testing.assert_close(found, 1 - expected[None])
    torch.testing.assert_close(confidences(module, white, torch.tensor([0])), torch.tensor([0.75]))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("window", "batch_size"),
    [(1, 100), (3, 1), (3, 7), (3, 100), (3, 10_000), (4, 7), (7, 7), (12, 7)],
)
def test_maps_are_those_of_one_image_at_a_time_whatever_the_batch_size_and_mode(
    convolutional, window, batch_size, training
):
    with left_alone(convolutional.train(training)):
        found = confidence_maps(convolutional, IMAGES, LABELS, window, batch_size)
    assert torch.equal(found, confidence_maps(convolutional, IMAGES, LABELS, window, batch_size))
    usual = confidence_maps(convolutional, IMAGES, LABELS, window)
    torch.testing.assert_close(found, usual, atol=1e-6, rtol=0)
    places = 13 - window
    expected = torch.zeros(3, places, places)
    convolutional.eval()
    with torch.no_grad():
        for index, row, column in product(range(3), range(places), range(places)):
            occluded = IMAGES[index].float() / 255
            occluded[:, row : row + window, column : column + window] = GRAY
            outputs = convolutional(occluded[None])[0]
            expected[index, row, column] = outputs.softmax(0)[LABELS[index]]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_maps_agree_with_captum(convolutional, window):
    from captum.attr import Occlusion  # a second, for the process that runs this alone

    clean = confidences(convolutional, IMAGES, LABELS)
    drops = clean[:, None, None] - confidence_maps(convolutional, IMAGES, LABELS, window)
    convolutional.eval()
    oracle = Occlusion(lambda batch: convolutional(batch).softmax(1)).attribute(
        IMAGES.float() / 255,
        sliding_window_shapes=(3, window, window),
        baselines=GRAY,
        target=LABELS,
        perturbations_per_eval=8,
    )
    # captum gives a pixel the mean drop over all windows that cover it
    total, covered = torch.zeros(3, 12, 12), torch.zeros(12, 12)
    for row, column in product(range(13 - window), repeat=2):
        square = slice(row, row + window), slice(column, column + window)
        total[(slice(None), *square)] += drops[:, row, column, None, None]
        covered[square] += 1
    expected = (total / covered)[:, None].expand(3, 3, 12, 12)
    torch.testing.assert_close(oracle, expected, atol=1e-6, rtol=0)


def test_no_batch_is_larger_than_asked(convolutional):
    sizes, told = [], []
    convolutional[-1].register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    confidence_maps(convolutional, IMAGES, LABELS, 3, batch_size=64, progress=told.append)
    assert sorted(told) == sorted(sizes)
    # 10 x 10 positions, in 64 of which the window starts in the first 8 rows and columns
    assert sorted(sizes) == [4] * 3 + [16] * 6 + [64] * 3


@pytest.mark.parametrize("window", [1, 3, 8])
def test_occluding_a_gray_image_changes_nothing(window):
    # one weight for each output, so that no rounding depends on the shape of a batch
    conv = weighted(nn.Conv2d(3, 1, 3, bias=False), [0] * 13 + [0.3] + [0] * 13)
    linear = weighted(nn.Linear(36, 2, bias=False), [0] * 5 + [2.3] + [0] * 60 + [0.9] + [0] * 5)
    module = nn.Sequential(conv, nn.Flatten(), linear)
    gray = torch.full((2, 3, 8, 8), 128, dtype=torch.uint8)
    labels = torch.tensor([0, 1])
    clean = confidences(module, gray, labels)
    assert clean[0] != 0.5
    maps = confidence_maps(module, gray, labels, window)
    assert torch.equal(maps, clean[:, None, None].expand_as(maps))


@pytest.mark.parametrize("window", [0, 13])
def test_a_window_that_does_not_fit_is_refused(convolutional, window):
    with pytest.raises(ValueError, match=f"window of {window} pixels .* images of 12"):
        confidence_maps(convolutional, IMAGES, LABELS, window)
    with pytest.raises(ValueError, match=f"window of {window} pixels .* images of 12"):
        answers(convolutional, IMAGES, window)


@pytest.mark.parametrize("window", [1, 5, 12])
def test_answers_are_those_of_one_image_at_a_time_and_have_the_maps(convolutional, window):
    with left_alone(convolutional.train()):
        found = answers(convolutional, IMAGES, window)
    places = 13 - window
    assert found.shape == (3, places, places, 10)
    for label in range(10):
        maps = confidence_maps(convolutional, IMAGES, torch.full((3,), label), window)
        torch.testing.assert_close(found[..., label], maps, atol=1e-6, rtol=0)
    convolutional.eval()
    for index, row, column in product(range(3), range(0, places, 3), range(0, places, 3)):
        occluded = IMAGES[index].float() / 255
        occluded[:, row : row + window, column : column + window] = GRAY
        with torch.no_grad():
            expected = convolutional(occluded[None])[0].softmax(0)
        torch.testing.assert_close(found[index, row, column], expected, atol=1e-6, rtol=0)


def test_answers_of_a_network_that_looks_at_one_pixel():
    white = torch.full((1, 3, 4, 4), 255, dtype=torch.uint8)
    found = answers(_one_pixel_network(4, row=1, column=3), white, 3)
    sure, unsure = [0.75, 0.25], [0.5, 0.5]
    torch.testing.assert_close(found, torch.tensor([[[sure, unsure], [sure, unsure]]]))


def test_images_without_labels_are_refused(convolutional):
    with pytest.raises(ValueError, match="3 and 2"):
        confidence_maps(convolutional, IMAGES, LABELS[:2], 3)
    with pytest.raises(ValueError, match="0 and 0"):
        confidence_maps(convolutional, IMAGES[:0], LABELS[:0], 3)


def test_survey_of_a_network_that_looks_at_one_pixel():
    module = _one_pixel_network(4, row=1, column=3)
    with torch.no_grad():
        module[1].bias[0] -= 0.1  # a gray pixel means class 1
    images = torch.full((2, 3, 4, 4), 255, dtype=torch.uint8)
    clean, small, large = survey(module, images, torch.tensor([0, 1]), [2, 3], stride=2)
    odds = 3 * math.exp(-0.1), math.exp(-0.1)
    sure, unsure = (odd / (1 + odd) for odd in odds)
    assert (clean.window, clean.centers.tolist()) == (0, [1.5])
    torch.testing.assert_close(clean.confidence, torch.tensor([sure, 1 - sure]))
    assert clean.accuracy.tolist() == [1, 0]
    # windows start at 0 and 2 in each direction; one of the four covers the pixel
    mean = (3 * sure + unsure) / 4
    assert (small.window, small.centers.tolist()) == (2, [0.5, 2.5])
    torch.testing.assert_close(small.confidence, torch.tensor([mean, 1 - mean]))
    assert small.accuracy.tolist() == [0.75, 0.25]
    # one position, (0, 0), which misses the pixel
    assert (large.window, large.centers.tolist()) == (3, [1.0])
    torch.testing.assert_close(large.confidence, torch.tensor([sure, 1 - sure]))


def test_survey_finds_where_each_image_loses_most():
    module = _one_pixel_network(4, row=1, column=3)
    images = torch.full((4, 3, 4, 4), 255, dtype=torch.uint8)
    clean, found = survey(module, images, torch.tensor([0, 0, 0, 1]), [2], stride=2)
    assert (clean.by_position.tolist(), clean.deepest.tolist()) == ([[pytest.approx(0.625)]], [[1]])
    # class 0 falls from 3/4 to 1/2 at the pixel; class 1 is lowest, 1/4, at the other three
    uncovered = (3 * 0.75 + 0.25) / 4
    expected = torch.tensor([[uncovered, 0.5], [uncovered, uncovered]], dtype=torch.float64)
    torch.testing.assert_close(found.by_position, expected, atol=1e-6, rtol=0)
    third = 1 / 12
    expected = torch.tensor([[third, 0.75], [third, third]], dtype=torch.float64)
    torch.testing.assert_close(found.deepest, expected)


def test_survey_agrees_with_the_maps(convolutional):
    images, labels = noise(20, size=12), torch.arange(20) % 10
    maps = confidence_maps(convolutional, images, labels, 4)[:, 1::3, 1::3]
    # parts of 8 images: the last one is smaller
    _, found = survey(convolutional, images, labels, [4], stride=3, batch_size=8)
    # 9 positions: 0 to 8; with stride 3 those at the same distance from both borders
    assert found.centers.tolist() == [2.5, 5.5, 8.5]
    torch.testing.assert_close(found.confidence, maps.flatten(1).mean(1), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.by_position, maps.double().mean(0), atol=1e-6, rtol=0)
    deepest = torch.bincount(maps.flatten(1).argmin(1), minlength=9).double() / 20
    torch.testing.assert_close(found.deepest, deepest.view(3, 3))


def test_survey_holds_the_positions_of_a_batch_of_images_at_most(convolutional):
    sizes, told = [], []
    convolutional[-1].register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    many, truth = IMAGES.repeat(3, 1, 1, 1), LABELS.repeat(3)
    survey(convolutional, many, truth, [4, 12], 4, batch_size=4, progress=told.append)
    # the clean images; 9 positions of 9 images, with 4, 2, 2 and 1 near each other; one of each
    assert sizes[:3] == [4, 4, 1]
    assert sorted(sizes[3:-3]) == [1] * 9 + [2] * 18 + [4] * 9
    assert sizes[-3:] == [4, 4, 1]
    assert sorted(told) == sorted(sizes[3:])
