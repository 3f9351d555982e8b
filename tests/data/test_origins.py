import os
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.base import files
from convscope.data import cifar10, datasets, digits
from convscope.data.archives import Archive
from convscope.data.datasets import DataSet
from tests import archive_samples as samples
from tests.archive_samples import md5_of, packed, written
from tests.data.test_datasets import assert_equal

REAL = os.environ.get("CONVSCOPE_CIFAR10_ARCHIVE")


@pytest.fixture(scope="module")
def ten_digits() -> DataSet:
    return digits.read()


@pytest.mark.parametrize("members", [samples.python_members(), samples.binary_members()])
def test_cifar10_keeps_the_archives_order_and_has_the_studys_names(
    tmp_path: Path, members: samples.Members
) -> None:
    content = packed(members)
    path = written(tmp_path / "toy.tar.gz", content)
    dataset = cifar10.read([Archive(url=f"file://{path}", md5=md5_of(content))], tmp_path / "data")
    images = samples.PIXELS.reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(dataset.train_images.numpy(), images[:15])
    np.testing.assert_array_equal(dataset.test_images.numpy(), images[15:])
    assert dataset.train_labels.tolist() == samples.LABELS[:15]
    assert dataset.test_labels.tolist() == samples.LABELS[15:]
    # no path of this machine
    assert (dataset.url, dataset.md5) == ("file:toy.tar.gz", md5_of(content))
    assert " ".join(dataset.classes) == "plane car bird cat deer dog frog horse ship truck"
    assert dataset.groups == {
        "animals": ("bird", "cat", "deer", "dog", "frog", "horse"),
        "vehicles": ("plane", "car", "ship", "truck"),
    }


def test_digits_are_split_as_documented(ten_digits: DataSet) -> None:
    assert (len(ten_digits.train_images), len(ten_digits.test_images)) == (1437, 360)
    assert (ten_digits.classes, ten_digits.groups) == (tuple("0123456789"), {})
    # 178 zeros, 182 ones, ... in 1,797 images: the test part's share of each, rounded
    whole = torch.tensor([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    test = ten_digits.test_labels.bincount()
    assert torch.equal(ten_digits.train_labels.bincount() + test, whole)
    assert ((test - whole * 360 / 1797).abs() < 1).all()


def enlarged(image: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    """The slow reference: an (8, 8) image as the bytes of a (32, 32) one."""
    weights = np.zeros((32, 8))
    for row in range(32):
        at = max((row + 0.5) / 4 - 0.5, 0)
        weights[row, int(at)] += 1 - at % 1
        weights[row, min(int(at) + 1, 7)] += at % 1
    return np.rint(weights @ image @ weights.T / 16 * 255).astype(np.uint8).tobytes()


def test_digits_are_scikit_learns_each_once_in_its_order(ten_digits: DataSet) -> None:
    from sklearn.datasets import load_digits

    source = load_digits()
    place = {enlarged(image): number for number, image in enumerate(source.images)}
    assert len(place) == 1797
    for images, labels in (
        (ten_digits.train_images, ten_digits.train_labels),
        (ten_digits.test_images, ten_digits.test_labels),
    ):
        assert torch.equal(images, images[:, :1].expand_as(images))
        order = [place.pop(image[0].numpy().tobytes()) for image in images]
        assert order == sorted(order)
        assert labels.tolist() == source.target[order].tolist()
    assert not place


def test_digits_fill_the_pixel_range_and_are_the_same_each_time(ten_digits: DataSet) -> None:
    for images in (ten_digits.train_images, ten_digits.test_images):
        assert [int(end) for end in images.aminmax()] == [0, 255]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert_equal(ten_digits, digits.read())


@pytest.mark.skipif(
    REAL is None, reason="CONVSCOPE_CIFAR10_ARCHIVE does not name a CIFAR-10 archive"
)
def test_a_real_archive(tmp_path: Path) -> None:
    path = Path(str(REAL)).resolve()
    source = Archive(url=path.as_uri(), md5=files.digest(path))
    dataset = cifar10.read([source], tmp_path)
    assert dataset.train_images.shape == (50_000, 3, 32, 32)
    assert dataset.test_images.shape == (10_000, 3, 32, 32)
    assert dataset.train_labels.bincount().tolist() == [5_000] * 10
    assert dataset.test_labels.bincount().tolist() == [1_000] * 10
    assert dataset.train_labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert dataset.test_labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    # the channel means of the training set are well known: 125.3, 123.0, 113.9
    means = dataset.train_images.to(torch.float32).mean((0, 2, 3))
    torch.testing.assert_close(means, torch.tensor([125.3, 123.0, 113.9]), rtol=0, atol=1)
    datasets.save(dataset, tmp_path / "dataset.safetensors")
    assert_equal(datasets.load(tmp_path / "dataset.safetensors"), dataset)
