import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from convscope.data import digits
from tests.data.test_datasets import assert_equal


@pytest.fixture(scope="module")
def dataset():
    return digits.read()


def test_digits_are_split_as_documented(dataset):
    assert (len(dataset.train_images), len(dataset.test_images)) == (1437, 360)
    assert (dataset.classes, dataset.groups) == (tuple("0123456789"), {})
    # 178 zeros, 182 ones, ... in 1,797 images: the test part's share of each, rounded
    whole = torch.tensor([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    test = dataset.test_labels.bincount()
    assert torch.equal(dataset.train_labels.bincount() + test, whole)
    assert ((test - whole * 360 / 1797).abs() < 1).all()


def enlarged(image):
    """The slow reference: an (8, 8) image as the bytes of a (32, 32) one."""
    weights = np.zeros((32, 8))
    for row in range(32):
        at = max((row + 0.5) / 4 - 0.5, 0)
        weights[row, int(at)] += 1 - at % 1
        weights[row, min(int(at) + 1, 7)] += at % 1
    return np.rint(weights @ image @ weights.T / 16 * 255).astype(np.uint8).tobytes()


def test_digits_are_scikit_learns_each_once_in_its_order(dataset):
    source = load_digits()
    place = {enlarged(image): number for number, image in enumerate(source.images)}
    assert len(place) == 1797
    parts = dataset.tensors()
    for part in ("train", "test"):
        images, labels = parts[f"{part}_images"], parts[f"{part}_labels"]
        assert torch.equal(images, images[:, :1].expand_as(images))
        order = [place.pop(image[0].numpy().tobytes()) for image in images]
        assert order == sorted(order)
        assert labels.tolist() == source.target[order].tolist()
    assert not place


def test_digits_fill_the_pixel_range_and_are_the_same_each_time(dataset):
    for images in (dataset.train_images, dataset.test_images):
        assert [int(end) for end in images.aminmax()] == [0, 255]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert_equal(dataset, digits.read())
