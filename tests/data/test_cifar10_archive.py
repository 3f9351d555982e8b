import gzip
import pickle

import numpy as np
import pytest

from convscope.base.errors import UserError
from convscope.data import cifar10_archive
from tests import archive_samples as samples
from tests.archive_samples import packed, written

PY = "cifar-10-batches-py"
BIN = "cifar-10-batches-bin"
FIRST = f"{PY}/data_batch_1"


def assert_read(path, content):
    """That a file is read completely."""
    arrays = cifar10_archive.read(written(path, content))
    images = samples.PIXELS.reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(arrays.train_images, images[:15])
    np.testing.assert_array_equal(arrays.test_images, images[15:])
    assert arrays.train_labels.tolist() == samples.LABELS[:15]
    assert arrays.test_labels.tolist() == samples.LABELS[15:]
    assert [array.dtype for array in arrays] == [np.uint8, np.int64] * 2


def refusal(path, content):
    with pytest.raises(UserError) as caught:
        cifar10_archive.read(written(path, content))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path} is damaged or not a CIFAR-10 archive (")
    assert "an archive in the official python or binary layout into data.archives" in message
    assert "downloaded again" not in message
    return message


@pytest.mark.parametrize("members", [samples.python_members(), samples.binary_members()])
@pytest.mark.parametrize("backwards", [False, True])
def test_both_layouts_whatever_the_order_of_members(tmp_path, members, backwards):
    ordered = dict(sorted(members.items(), reverse=backwards))
    assert_read(tmp_path / "toy.tar.gz", packed(ordered))


def test_class_names_may_be_absent_but_not_others(tmp_path):
    members = samples.binary_members()
    meta = members.pop(f"{BIN}/batches.meta.txt")
    assert_read(tmp_path / "toy.tar.gz", packed(members))
    members[f"{BIN}/batches.meta.txt"] = meta.replace(b"frog", b"toad")
    assert "names other classes: airplane" in refusal(tmp_path / "toads", packed(members))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_pickled_by_python_3(tmp_path, protocol, order):
    members = samples.python_members()  # their pickles name modules of numpy 1
    for number, name in enumerate(samples.BATCHES):
        pixels, labels = samples.batch(number)
        stored = {"data": np.array(pixels, order=order), "labels": labels}
        members[f"{PY}/{name}"] = pickle.dumps(stored, protocol)
    assert b"numpy._core." in members[FIRST]
    assert_read(tmp_path / "toy.tar.gz", packed(members))


@pytest.mark.parametrize(
    "name", ["builtins\neval", "numpy\nload", "numpy.core.multiarray\nscalar", "_codecs\ndecode"]
)
def test_other_names_are_refused_even_with_admitted_ones(tmp_path, name):
    attack = b"\x80\x02c" + name.encode() + b"\n."
    message = refusal(tmp_path / "toy", packed(samples.python_members() | {FIRST: attack}))
    assert f"names {name.replace(chr(10), '.')}," in message


def test_members_outside_the_layout_are_ignored(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    members = {"../escaped": b"x", "/tmp/absolute-escape": b"x", **samples.binary_members()}
    content = packed(members, links=[(f"{BIN}/readme.html", "/etc/passwd")])
    assert_read(folder / "toy.tar.gz", content)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "toy.tar.gz"]


def test_a_member_there_twice_is_refused(tmp_path):
    content = packed([*samples.binary_members().items(), (f"{BIN}/test_batch.bin", bytes(3073))])
    assert f"{BIN}/test_batch.bin is there twice" in refusal(tmp_path / "toy", content)


def test_a_member_cut_short_inside_an_intact_gzip_file_is_refused(tmp_path):
    tar = gzip.decompress(packed({f"{BIN}/data_batch_1.bin": bytes(2 * 3073)}))
    assert "unexpected end of data" in refusal(tmp_path / "toy", gzip.compress(tar[: 512 + 3073]))


@pytest.mark.parametrize("name", [f"{BIN}/test_batch.bin", f"{PY}/batches.meta"])
def test_members_beyond_the_largest_size_are_refused(tmp_path, name):
    size = cifar10_archive.MAX_MEMBER_BYTES + 1
    content = packed({name: bytes(size)})
    assert f"{name} is too large: {size} bytes" in refusal(tmp_path / "toy", content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bytes(3072), "3072 bytes is not a multiple of 3073"),
        (b"", "holds 0 images"),
        (bytes(10_001 * 3073), "holds 10001 images"),
        (b"\x0a" + bytes(3072), "holds labels outside 0..9"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_binary_batches_must_be(tmp_path, content, why):
    members = samples.binary_members() | {f"{BIN}/test_batch.bin": content}
    assert why in refusal(tmp_path / "toy", packed(members))


def test_no_batch_may_be_absent(tmp_path):
    members = samples.binary_members()
    del members[f"{BIN}/data_batch_3.bin"]
    assert f"lacks {BIN}/data_batch_3.bin" in refusal(tmp_path / "toy", packed(members))


ONE = np.zeros((1, 3072), np.uint8)


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ({"data": ONE, "labels": [1, 2]}, "holds 1 images and 2 labels"),
        ({"data": ONE[:, 1:], "labels": [1]}, "pixels of shape (1, 3071), not (n, 3072)"),
        ({"data": ONE, "labels": [10]}, "holds labels outside 0..9"),
        ({"data": ONE, "labels": [-1]}, "holds labels outside 0..9"),
        ({"data": ONE, "labels": ["cat"]}, "holds labels outside 0..9"),
        ({"data": ONE}, "lacks its data or its labels"),
        ({"data": [0] * 3072, "labels": [1]}, "lacks its data or its labels"),
        ({"data": ONE.astype(np.float32), "labels": [1]}, "array of type 'f4', not uint8"),
        ({"data": np.array([[None]]), "labels": [1]}, "array of type 'O8', not uint8"),
        ([1, 2], "no attribute 'items'"),
    ],
)
def test_what_python_batches_must_be(tmp_path, stored, why):
    members = samples.python_members() | {FIRST: pickle.dumps(stored)}
    assert why in refusal(tmp_path / "toy", packed(members))


def test_other_files_are_refused(tmp_path):
    assert "Not a gzipped file" in refusal(tmp_path / "html", b"<html>sign in first</html>")
    assert "neither cifar-10-batches-py nor" in refusal(tmp_path / "other", packed({"a": b"b"}))
    with pytest.raises(UserError, match="No such file"):
        cifar10_archive.read(tmp_path / "absent")
