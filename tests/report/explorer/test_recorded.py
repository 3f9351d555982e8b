"""Answers that are computed for the page, compared with one image and one change at a time."""

import base64
from itertools import product

import numpy as np
import pytest
import torch
from tests import toys
from tests.report.explorer import folders, networks

from convscope.analysis.ablation import joint
from convscope.report.explorer import recorded

IMAGES = toys.noise(4, seed=4)
MAPPED = [2, 0]


@pytest.fixture(scope="module")
def module():
    return networks.built("net3")


@pytest.fixture
def analyses(tmp_path):
    return folders.write(tmp_path)


@pytest.fixture
def found(module, analyses):
    with toys.left_alone(module):
        return record(module, analyses)


def record(module, analyses, mapped=MAPPED):
    return recorded.record(
        module, IMAGES, mapped, folders.FILTERS, analyses.occluded, analyses.ablated
    )


def unpacked(text, kind, *shape):
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def answer(module, image, off=None, window=None):
    return networks.answer(module, IMAGES[image], off or {}, window)


def test_confidences_are_by_window_image_position_and_class(module, found):
    assert (found["windows"]["sizes"], found["windows"]["images"]) == ([30, 31], MAPPED)
    shares = unpacked(found["windows"]["shares"], "<u2", -1, 10) / 65535
    expected = [
        answer(module, image, window={"size": size, "row": row, "column": column})["logits"]
        for size in (30, 31)
        for image in MAPPED
        for row, column in product(range(33 - size), repeat=2)
    ]
    np.testing.assert_allclose(shares, torch.stack(expected).softmax(1), atol=1e-4)


def test_logits_without_filters_are_by_filter_image_and_class(module, found):
    together = unpacked(found["together"], "<f4", 4, 10)
    # the selected filters, then those that matter most and least and are not among them
    names = ["conv1/0", "conv1/1", "conv2/2", "conv2/0", "conv1/2"]
    assert found["alone"]["filters"] == names
    alone = unpacked(found["alone"]["logits"], "<f4", len(names), 4, 10)
    for image in range(4):
        expected = answer(module, image, folders.FILTERS)["logits"]
        np.testing.assert_allclose(together[image], expected, atol=1e-4)
        for at, name in enumerate(names):
            layer, index = name.split("/")
            expected = answer(module, image, {layer: [int(index)]})["logits"]
            np.testing.assert_allclose(alone[at, image], expected, atol=1e-4)


def test_maps_are_those_of_the_study_s_filters_on_their_layer_s_scale(module, found):
    assert list(found["maps"]) == ["conv1", "conv2"]
    for layer, size in (("conv1", 32), ("conv2", 30)):
        kept = found["maps"][layer]
        assert (kept["size"], kept["filters"]) == (size, folders.FILTERS[layer])
        whole = torch.stack([answer(module, image)[layer] for image in range(4)])
        assert kept["scale"] == pytest.approx(whole.abs().max().item(), rel=1e-5)
        values = unpacked(kept["values"], np.int8, len(kept["filters"]), 4, size * size)
        for at, index in enumerate(kept["filters"]):
            expected = whole.unflatten(1, (-1, size * size))[:, index]
            step = kept["scale"] / 127
            np.testing.assert_allclose(values[at] * step, expected, atol=0.51 * step)


def test_a_filter_that_is_zero_already_changes_nothing(analyses, module):
    silent = joint.ablated(module, {"conv1": [0]})
    found = record(silent, analyses)
    with torch.no_grad():
        intact = silent(IMAGES.float() / 255)
    alone = unpacked(found["alone"]["logits"], "<f4", 5, 4, 10)
    np.testing.assert_allclose(alone[0], intact, atol=1e-5)
    assert np.abs(alone[2] - intact.numpy()).max() > 1e-3


def test_the_same_twice(module, analyses, found):
    assert record(module, analyses) == found
