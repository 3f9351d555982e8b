import bz2
import contextlib
import gzip
import io
import lzma
import random
import tarfile
import zipfile

import pytest

from convscope.base.errors import UserError
from convscope.data import cifar_archive
from tests import archive_samples as samples
from tests import toys
from tests.archive_samples import packed, written

PY = "cifar-10-batches-py"
TEST = "cifar-10-batches-bin/test_batch.bin"


def assert_read(path, content):
    samples.assert_complete(cifar_archive.read(written(path, content)))


def refusal(path, content):
    return toys.refusal(cifar_archive.read, written(path, content))


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


PACKED = {
    "tar": lambda members: gzip.decompress(packed(members)),
    "tar.gz": packed,
    "tar.bz2": lambda members: bz2.compress(gzip.decompress(packed(members))),
    "tar.xz": lambda members: lzma.compress(gzip.decompress(packed(members))),
    "zip": zipped,
}


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("top", ["", "./", f"./{PY}/", "data/mine/"])
def test_however_it_was_packed_again(kind, top, tmp_path):
    own = {
        f"{top}{name.rpartition('/')[2]}": held for name, held in samples.python_members().items()
    }
    macos = {f"{top}._data_batch_1": b"\0\5\x16\7", f"__MACOSX/{PY}/._data_batch_2": b"\0"}
    assert_read(tmp_path / "toy.tgz", PACKED[kind]({**macos, **own, f"{top}readme.html": b"<p>"}))


def test_a_folder_of_a_wanted_name_beside_the_files_is_passed_over(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in samples.python_members().items():
            folder = tarfile.TarInfo(f"other/{name.rpartition('/')[2]}")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert_read(tmp_path / "toy.tgz", out.getvalue())


def test_headers_of_pax_are_understood(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name, content in samples.binary_members().items():
            info = tarfile.TarInfo(f"{'a long folder ' * 20}/\N{SNOWMAN}/{name}")
            info.size, info.pax_headers = len(content), {"LIBARCHIVE.creationtime": "1.5"}
            tar.addfile(info, io.BytesIO(content))
    assert_read(tmp_path / "toy.tar.gz", out.getvalue())


@pytest.mark.parametrize("kind", ["tar.bz2", "tar.xz", "zip"])
@pytest.mark.parametrize("seed", range(10))
def test_other_packings_that_are_cut_or_flipped_are_refused_or_matter_nothing(kind, seed, tmp_path):
    rng, whole = random.Random(seed), PACKED[kind](samples.binary_members())
    assert refusal(tmp_path / "toy", whole[: rng.randrange(1, len(whole) - 20)])
    changed = bytearray(whole)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    path = written(tmp_path / "toy", bytes(changed))
    with contextlib.suppress(UserError):
        samples.assert_complete(cifar_archive.read(path))


@pytest.mark.parametrize("kind", ["tar", "tar.bz2", "tar.xz", "zip"])
def test_bombs_of_other_packings_are_refused(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar_archive, "MAX_UNPACKED_BYTES", 1 << 20)
    bomb = PACKED[kind]({TEST: bytes(2 << 20)})
    assert "(it unpacks to more than 1048576 bytes)" in refusal(tmp_path / "toy", bomb)
