import gzip
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convscope.base.errors import UserError
from convscope.data import cifar10_archive
from tests import archive_samples as samples
from tests.archive_samples import packed, written

PY = "cifar-10-batches-py"
BIN = "cifar-10-batches-bin"
FIRST = f"{PY}/data_batch_1"


def assert_read_whole(arrays: cifar10_archive.Arrays) -> None:
    images = samples.PIXELS.reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(arrays.train_images, images[:15])
    np.testing.assert_array_equal(arrays.test_images, images[15:])
    assert arrays.train_labels.tolist() == samples.LABELS[:15]
    assert arrays.test_labels.tolist() == samples.LABELS[15:]
    assert [array.dtype for array in arrays] == [np.uint8, np.int64] * 2


def refusal(path: Path, content: bytes) -> str:
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
def test_both_layouts_whatever_the_order_of_members(
    tmp_path: Path, members: samples.Members, backwards: bool
) -> None:
    ordered = dict(sorted(members.items(), reverse=backwards))
    assert_read_whole(cifar10_archive.read(written(tmp_path / "toy.tar.gz", packed(ordered))))


def test_class_names_may_be_absent_but_not_others(tmp_path: Path) -> None:
    members = samples.binary_members()
    meta = members.pop(f"{BIN}/batches.meta.txt")
    assert_read_whole(cifar10_archive.read(written(tmp_path / "toy.tar.gz", packed(members))))
    members[f"{BIN}/batches.meta.txt"] = meta.replace(b"frog", b"toad")
    assert "names other classes: airplane" in refusal(tmp_path / "toads", packed(members))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_pickled_by_python_3(tmp_path: Path, protocol: int, order: str) -> None:
    members = samples.python_members()
    for number, name in enumerate(samples.BATCHES):
        pixels, labels = samples.batch(number)
        stored = {"data": np.array(pixels, order=order), "labels": labels}  # type: ignore[call-overload]
        members[f"{PY}/{name}"] = pickle.dumps(stored, protocol)
    assert_read_whole(cifar10_archive.read(written(tmp_path / "toy.tar.gz", packed(members))))


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_module_names_of_numpy_1_and_2(tmp_path: Path, module: str) -> None:
    members = samples.python_members()
    members[FIRST] = members[FIRST].replace(b"numpy.core.multiarray", module.encode())
    assert module.encode() in members[FIRST]
    assert_read_whole(cifar10_archive.read(written(tmp_path / "toy.tar.gz", packed(members))))


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.target}",)


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    attack = pickle.dumps({"data": Malicious(trace), "labels": []})
    pickle.loads(attack)
    assert trace.exists()
    trace.unlink()
    message = refusal(tmp_path / "toy", packed(samples.python_members() | {FIRST: attack}))
    assert not trace.exists()
    assert f"{os.system.__module__}.system, which is not an array" in message


@pytest.mark.parametrize(
    "name", ["builtins\neval", "numpy\nload", "numpy.core.multiarray\nscalar", "_codecs\ndecode"]
)
def test_other_names_are_refused_even_beside_admitted_ones(tmp_path: Path, name: str) -> None:
    attack = b"\x80\x02c" + name.encode() + b"\n."
    message = refusal(tmp_path / "toy", packed(samples.python_members() | {FIRST: attack}))
    assert f"names {name.replace(chr(10), '.')}," in message


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    stored = {"data": np.array([[None]]), "labels": [1]}
    message = refusal(
        tmp_path / "toy", packed(samples.python_members() | {FIRST: pickle.dumps(stored)})
    )
    assert "array of type 'O8', not uint8" in message


def test_links_are_not_followed(tmp_path: Path) -> None:
    members = samples.python_members()
    secret = written(tmp_path / "secret", members.pop(FIRST))
    content = packed(members, links={FIRST: str(secret)})
    assert f"{FIRST} is not a plain file" in refusal(tmp_path / "toy", content)


def test_members_outside_the_layout_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    members = {"../escaped": b"x", "/tmp/absolute-escape": b"x", **samples.binary_members()}
    content = packed(members, links={f"{BIN}/readme.html": "/etc/passwd"})
    assert_read_whole(cifar10_archive.read(written(folder / "toy.tar.gz", content)))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "toy.tar.gz"]


def unzipped_tar(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def test_a_member_there_twice_is_refused(tmp_path: Path) -> None:
    members = samples.binary_members().items()
    assert_read_whole(
        cifar10_archive.read(written(tmp_path / "once", gzip.compress(unzipped_tar(*members))))
    )
    twice = gzip.compress(unzipped_tar(*members, (f"{BIN}/test_batch.bin", bytes(3073))))
    assert f"{BIN}/test_batch.bin is there twice" in refusal(tmp_path / "twice", twice)


def test_a_member_cut_short_inside_a_whole_gzip_file_is_refused(tmp_path: Path) -> None:
    tar = unzipped_tar((f"{BIN}/data_batch_1.bin", bytes(2 * 3073)))
    assert "unexpected end of data" in refusal(tmp_path / "toy", gzip.compress(tar[: 512 + 3073]))


@pytest.mark.parametrize(
    ("name", "size"), [(f"{BIN}/test_batch.bin", 30_730_001), (f"{PY}/batches.meta", 32_817_153)]
)
def test_members_beyond_their_layouts_size_are_refused(
    tmp_path: Path, name: str, size: int
) -> None:
    assert f"{name} is too large: {size} bytes" in refusal(
        tmp_path / "toy", packed({name: bytes(size)})
    )


def test_a_decompression_bomb_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10_archive, "MAX_UNPACKED_BYTES", 1 << 20)
    content = packed({"filler": bytes(2 << 20), **samples.binary_members()})
    assert len(content) < 1 << 19
    assert "unpacks to more than 1048576 bytes" in refusal(tmp_path / "toy", content)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data_batch_3.bin": None}, "lacks cifar-10-batches-bin/data_batch_3.bin"),
        ({"test_batch.bin": bytes(3072)}, "3072 bytes is not a multiple of 3073"),
        ({"test_batch.bin": b""}, "holds 0 images"),
        ({"test_batch.bin": b"\x0a" + bytes(3072)}, "holds labels outside 0..9"),
    ],
)
def test_what_binary_batches_must_be(
    tmp_path: Path, change: dict[str, bytes | None], why: str
) -> None:
    members = samples.binary_members()
    for name, content in change.items():
        members.pop(f"{BIN}/{name}")
        if content is not None:
            members[f"{BIN}/{name}"] = content
    assert why in refusal(tmp_path / "toy", packed(members))


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
        ([1, 2], "no attribute 'items'"),
    ],
)
def test_what_python_batches_must_be(tmp_path: Path, stored: object, why: str) -> None:
    members = samples.python_members() | {FIRST: pickle.dumps(stored)}
    assert why in refusal(tmp_path / "toy", packed(members))


@pytest.mark.parametrize("layout", [samples.python_members, samples.binary_members])
def test_a_truncated_file_is_refused(tmp_path: Path, layout: Callable[[], samples.Members]) -> None:
    content = packed(layout())
    for size in (0, 1, 100, len(content) // 2, len(content) - 9, len(content) - 1):
        refusal(tmp_path / "toy", content[:size])


def test_other_files_are_refused(tmp_path: Path) -> None:
    assert "Not a gzipped file" in refusal(tmp_path / "html", b"<html>sign in first</html>")
    assert "neither cifar-10-batches-py nor" in refusal(tmp_path / "other", packed({"a": b"b"}))
    with pytest.raises(UserError, match="No such file"):
        cifar10_archive.read(tmp_path / "absent")
