import numpy as np
import pytest

from convscope.data import cifar100
from convscope.data.archives import Archive
from tests import archive_samples as samples
from tests import toys
from tests.archive_samples import FINE, FINE_LABELS, md5_of, packed, written

MEMBERS = {"python": samples.python100_members(), "binary": samples.binary100_members()}


def read(path, members):
    content = packed(members)
    written(path, content)
    return cifar100.read([Archive(url=path.as_uri(), md5=md5_of(content))], path.parent)


@pytest.mark.parametrize("layout", MEMBERS)
def test_the_fine_labels_of_both_layouts(tmp_path, layout):
    dataset = read(tmp_path / "toy.tar.gz", MEMBERS[layout])
    images = samples.PIXELS.reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(dataset.train_images, images[: samples.EACH])
    np.testing.assert_array_equal(dataset.test_images, images[samples.EACH : 2 * samples.EACH])
    assert [*dataset.train_labels.tolist(), *dataset.test_labels.tolist()] == FINE_LABELS
    assert dataset.classes == tuple(FINE)
    assert (dataset.groups, dataset.url) == ({}, "file:toy.tar.gz")


def test_class_names_are_needed_and_are_a_hundred(tmp_path):
    named = "cifar-100-binary/fine_label_names.txt"
    without = {name: held for name, held in MEMBERS["binary"].items() if name != named}
    path = tmp_path / "toy.tar.gz"
    assert "it lacks fine_label_names.txt" in toys.refusal(read, path, without)
    assert "names other classes" in toys.refusal(read, path, {**without, named: b"a b c"})


def test_the_archive_of_another_data_set_is_refused(tmp_path):
    message = toys.refusal(read, tmp_path / "toy.tar.gz", samples.python_members())
    assert "not a CIFAR-100 archive" in message
    assert "the files of neither cifar-100-python nor cifar-100-binary" in message
