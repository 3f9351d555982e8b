import base64

import numpy as np
import pytest
import torch

from convscope.report.explorer import packing


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_arrays_are_little_endian_bytes_in_order():
    assert packing.text(np.array([[1, 2], [3, 255]], np.uint8)) == "AQID/w=="
    assert packing.text(np.array([-127, 127], np.int8)) == "gX8="
    swapped = np.array([1.5, -2.0], ">f4")
    assert unpacked(packing.text(swapped), "<f4").tolist() == [1.5, -2.0]


def test_shares_are_rounded_to_the_nearest_of_two_bytes():
    values = [0, 1, 0.5, 1 / 3, 1e-6, 1 - 1e-6, 1.0000001]
    steps = unpacked(packing.shares(values), "<u2")
    assert steps.tolist() == [0, 65535, 32768, 21845, 0, 65535, 65535]
    assert packing.shares([]) == ""
    assert unpacked(packing.shares(np.array([[0, 1]], np.float32)), "<u2").tolist() == [0, 65535]


def test_logits_are_complete():
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert unpacked(packing.logits(values), "<f4").tolist() == values.flatten().tolist()


def three_bytes(values):
    """What is left of packed floats, with a last byte of zero."""
    kept = np.frombuffer(base64.b64decode(packing.floats(np.array(values, np.float32))), np.uint8)
    words = np.zeros((len(values), 4), np.uint8)
    words[:, 1:] = kept.reshape(-1, 3)
    return words.view("<f4").ravel()


def test_floats_of_few_digits_stay_as_they_are():
    values = [0.0, 1.0, -1.0, 0.5, -1.75, 3.140625, 2.0**-100, -(2.0**100)]
    assert three_bytes(values).tolist() == values
    assert packing.floats(np.array([1.0], np.float32)) == base64.b64encode(b"\x00\x80\x3f").decode()


def test_floats_are_rounded_to_16_binary_digits():
    generator = np.random.default_rng(0)
    values = generator.normal(size=20_000) * 10 ** generator.uniform(-30, 30, 20_000)
    values = values.astype(np.float32)
    found = three_bytes(values).astype(np.float64)
    # half of the last of 16 digits, of which the first is worth 1 in 1 to 2
    error = np.abs(found / values.astype(np.float64) - 1)
    assert 2.0**-17 < error.max() <= 2.0**-16


def test_floats_are_rounded_up_as_often_as_down():
    values = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    error = (three_bytes(values).astype(np.float64) - values) / values
    assert abs(error.mean()) < 3 * error.std() / len(values) ** 0.5


@pytest.mark.parametrize("shape", [(6,), (2, 3), (3, 1, 2)])
def test_the_shape_does_not_matter(shape):
    values = np.arange(6, dtype=np.float32)
    assert packing.floats(values.reshape(shape)) == packing.floats(values)
