import os
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.base import files
from convscope.data import cifar, datasets
from convscope.data.archives import Archive
from tests import archive_samples as samples
from tests import toys
from tests.archive_samples import FINE, FINE_LABELS, md5_of, packed, written
from tests.data.test_datasets import assert_equal

REAL = os.environ.get("CONVSCOPE_CIFAR10_ARCHIVE")
MEMBERS = {"python": samples.python100_members(), "binary": samples.binary100_members()}


def test_cifar10_keeps_the_archives_order_and_has_the_studys_names(tmp_path):
    content = packed(samples.binary_members())
    path = written(tmp_path / "toy.tar.gz", content)
    source = Archive(url=f"file://{path}", md5=md5_of(content))
    dataset = cifar.read("cifar10", [source], tmp_path / "data")
    samples.assert_complete(dataset)
    # no path of this machine
    assert (dataset.url, dataset.md5) == ("file:toy.tar.gz", md5_of(content))
    assert " ".join(dataset.classes) == "plane car bird cat deer dog frog horse ship truck"
    assert dataset.groups == {
        "animals": ("bird", "cat", "deer", "dog", "frog", "horse"),
        "vehicles": ("plane", "car", "ship", "truck"),
    }


@pytest.mark.skipif(
    REAL is None, reason="CONVSCOPE_CIFAR10_ARCHIVE does not name a CIFAR-10 archive"
)
def test_a_real_archive(tmp_path):
    path = Path(str(REAL)).resolve()
    source = Archive(url=path.as_uri(), md5=files.digest(path))
    dataset = cifar.read("cifar10", [source], tmp_path)
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


def read100(path, members):
    content = packed(members)
    written(path, content)
    source = Archive(url=path.as_uri(), md5=md5_of(content))
    return cifar.read("cifar100", [source], path.parent)


@pytest.mark.parametrize("layout", MEMBERS)
def test_of_cifar100_the_fine_labels_of_both_layouts(tmp_path, layout):
    dataset = read100(tmp_path / "toy.tar.gz", MEMBERS[layout])
    images = samples.PIXELS.reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(dataset.train_images, images[: samples.EACH])
    np.testing.assert_array_equal(dataset.test_images, images[samples.EACH : 2 * samples.EACH])
    assert [*dataset.train_labels.tolist(), *dataset.test_labels.tolist()] == FINE_LABELS
    assert dataset.classes == tuple(FINE)
    assert (dataset.groups, dataset.url) == ({}, "file:toy.tar.gz")


def test_cifar100s_class_names_are_needed_and_are_a_hundred(tmp_path):
    named = "cifar-100-binary/fine_label_names.txt"
    without = {name: held for name, held in MEMBERS["binary"].items() if name != named}
    path = tmp_path / "toy.tar.gz"
    assert "it lacks fine_label_names.txt" in toys.refusal(read100, path, without)
    assert "names other classes" in toys.refusal(read100, path, {**without, named: b"a b c"})


def test_the_archive_of_another_data_set_is_refused(tmp_path):
    message = toys.refusal(read100, tmp_path / "toy.tar.gz", samples.python_members())
    assert "not a CIFAR-100 archive" in message
    assert "the files of neither cifar-100-python nor cifar-100-binary" in message
