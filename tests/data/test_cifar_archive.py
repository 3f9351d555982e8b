import gzip
import pickle

import numpy as np
import pytest

from convscope.data import cifar_archive
from tests import archive_samples as samples
from tests import toys
from tests.archive_samples import packed, written

PY = "cifar-10-batches-py"
BIN = "cifar-10-batches-bin"
FIRST = f"{PY}/data_batch_1"


def assert_read(path, content):
    """That a file is read completely."""
    arrays = cifar_archive.read(written(path, content))
    samples.assert_complete(arrays)
    assert [array.dtype for array in arrays[:4]] == [np.uint8, np.int64] * 2


def refusal(path, content):
    """The reason for which an archive is refused; the rest of the message is always the same."""
    message = toys.refusal(cifar_archive.read, written(path, content))
    start = f"params.yaml: data.archives: {path} is damaged or not a CIFAR-10 archive ("
    end = (
        "): list an archive with the files of the official python or binary version (a copy with "
        "the same md5 is the same)"
    )
    reason = message.removeprefix(start).removesuffix(end)
    assert message == start + reason + end
    return reason


@pytest.mark.parametrize("members", [samples.python_members(), samples.binary_members()])
@pytest.mark.parametrize("backwards", [False, True])
def test_both_layouts_whatever_the_order_of_members(tmp_path, members, backwards):
    ordered = dict(sorted(members.items(), reverse=backwards))
    assert_read(tmp_path / "toy.tar.gz", packed(ordered))


def test_class_names_may_be_absent(tmp_path):
    members = samples.binary_members()
    del members[f"{BIN}/batches.meta.txt"]
    assert_read(tmp_path / "toy.tar.gz", packed(members))


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


def test_members_outside_the_layout_are_ignored(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    members = {"../escaped": b"x", "/tmp/absolute-escape": b"x", **samples.binary_members()}
    content = packed(members, links=[(f"{BIN}/readme.html", "/etc/passwd")])
    assert_read(folder / "toy.tar.gz", content)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "toy.tar.gz"]


ONE = np.zeros((1, 3072), np.uint8)
LARGE = cifar_archive.KINDS["cifar10"].max_member_bytes + 1
TEST = f"{BIN}/test_batch.bin"
META = f"{BIN}/batches.meta.txt"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({TEST: bytes(3072)}, "3072 bytes is not a multiple of 3073"),
        ({TEST: b""}, "holds 0 images"),
        ({TEST: bytes(10_001 * 3073)}, "holds 10001 images"),
        ({TEST: b"\x0a" + bytes(3072)}, "holds labels outside 0..9"),
        ({TEST: bytes(LARGE)}, f"{TEST} is too large: {LARGE} bytes"),
        ({META: "\n".join([*samples.CLASSES[:-1], "van"]).encode()}, "names other classes: air"),
    ],
)
def test_what_binary_members_must_be(tmp_path, change, why):
    assert why in refusal(tmp_path / "toy", packed(samples.binary_members() | change))


@pytest.mark.parametrize(
    "name", ["builtins\neval", "numpy\nload", "numpy.core.multiarray\nscalar", "_codecs\ndecode"]
)
def test_other_names_are_refused_even_with_admitted_ones(tmp_path, name):
    attack = b"\x80\x02c" + name.encode() + b"\n."
    message = refusal(tmp_path / "toy", packed(samples.python_members() | {FIRST: attack}))
    assert f"names {name.replace(chr(10), '.')}," in message


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


TAR = gzip.decompress(packed({f"{BIN}/data_batch_1.bin": bytes(2 * 3073)}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\n<!DOCTYPE html>sign in first</html>", "it is a web page"),
        (b"Rar!\x1a\x07\x01\x00" * 100, "it is neither a tar nor a zip file"),
        (b"", "it is neither a tar nor a zip file"),
        (gzip.compress(b"{}"), "it is neither a tar nor a zip file"),
        (packed({"a": b"b"}), "the files of neither cifar-10-batches-py nor"),
        (packed({TEST: bytes(3073)}), "lacks data_batch_1.bin, data_batch_2.bin"),
        (packed([(TEST, b""), (TEST, b"")]), "test_batch.bin is there twice"),
        (packed([(TEST, b""), ("copy/test_batch.bin", b"")]), "test_batch.bin is there twice"),
        (packed({f"{PY}/batches.meta": bytes(LARGE)}), f"{PY}/batches.meta is too large: {LARGE}"),
        # a member cut short inside an intact gzip file
        (gzip.compress(TAR[: 512 + 3073]), "unexpected end of data"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_files_are_refused(tmp_path, content, why):
    assert why in refusal(tmp_path / "toy", content)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar_archive, "MAX_UNPACKED_BYTES", 1 << 20)
    bomb = packed({"filler": bytes(2 << 20)})
    assert len(bomb) < 1 << 19
    assert refusal(tmp_path / "toy", bomb) == "it unpacks to more than 1048576 bytes"


def test_what_the_system_refuses_is_not_called_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        cifar_archive.read(tmp_path / "absent")
