import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from convscope.data import digits
from tests.data.test_datasets import assert_equal


@pytest.fixture(scope="module")
def dataset():
    return digits.read()


def test_digits_are_split_as_documented(dataset):
    assert (len(dataset.train_images), len(dataset.test_images)) == (1437, 360)
    assert (dataset.classes, dataset.groups) == (tuple("0123456789"), {})
    whole = torch.tensor([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert torch.equal(dataset.test_labels.bincount(), torch.full((10,), 36))
    assert torch.equal(dataset.train_labels.bincount(), whole - 36)


def enlarged(image):
    """Pillow's own: an (8, 8) image as the bytes of a (32, 32) one."""
    large = Image.fromarray(image.astype(np.float32)).resize((32, 32), Image.Resampling.BILINEAR)
    return np.rint(np.asarray(large, np.float64) / 16 * 255).astype(np.uint8).tobytes()


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


def test_digits_are_the_same_each_time(dataset):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert_equal(dataset, digits.read())
