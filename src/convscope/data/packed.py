"""Files of a tar or zip file, in memory: nothing is extracted to disk, and sizes are limited.

A tar file may be packed by gzip, bzip2 or xz, or not at all; the first bytes say which, not the
name.
"""

import bz2
import gzip
import io
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

XZ_MEMORY = 128 << 20  # `xz -9` needs 65 MB; a file may ask for gigabytes
_START = 64


def files(path: Path, names: Collection[str], most: int, in_all: int) -> dict[str, memoryview]:
    """The plain files with some names, in whichever folder they lie, by these names.

    Args:
        path: The archive.
        names: Those of files without their folders.
        most: Bytes that one of them may have.
        in_all: Bytes that a tar file, or the named files of a zip file, may have together.

    Raises:
        ValueError: It is no such archive, holds a file twice or a link in its place, or too much.
            What the decoders raise of damaged bytes is passed on.
    """
    found: dict[str, memoryview] = {}
    for name, content in _found(path, names, most, in_all):
        if name in found:
            raise ValueError(f"{name} is there twice")
        found[name] = content
    return found


def _found(
    path: Path, names: Collection[str], most: int, in_all: int
) -> Iterator[tuple[str, memoryview]]:
    with path.open("rb") as stream:
        start = stream.read(_START)
    if start.lstrip().startswith(b"<"):
        raise ValueError("it is a web page, as a site sends to those who are to sign in")
    if start.startswith(b"PK\x03\x04"):
        yield from _of_zip(path, names, most, in_all)
        return
    content = _unpacked(path, start, in_all + 1)
    if len(content) > in_all:
        raise ValueError(f"it unpacks to more than {in_all} bytes")
    with _opened(content) as tar:
        for member in tar:
            if member.isdir() or (name := _base(member.name)) not in names:
                continue
            if not member.isreg() or member.issparse():
                raise ValueError(f"{member.name} is not a plain file")
            _require_size(member.name, member.size, most)
            yield name, memoryview(content)[member.offset_data :][: member.size]


def _opened(content: bytes) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=io.BytesIO(content), mode="r:")
    except tarfile.ReadError:
        raise ValueError("it is neither a tar nor a zip file") from None


def _of_zip(
    path: Path, names: Collection[str], most: int, in_all: int
) -> Iterator[tuple[str, memoryview]]:
    with zipfile.ZipFile(path) as archive:
        members = [each for each in archive.infolist() if _base(each.filename) in names]
        if sum(each.file_size for each in members) > in_all:
            raise ValueError(f"it unpacks to more than {in_all} bytes")
        for each in members:
            _require_size(each.filename, each.file_size, most)
            yield _base(each.filename), memoryview(archive.read(each))


def _unpacked(path: Path, start: bytes, most: int) -> bytes:
    """The first so many bytes of a tar file, whatever it is packed by."""
    if start.startswith(b"\xfd7zXZ"):
        return _of_xz(path.read_bytes(), most)
    with path.open("rb") as raw:
        if start.startswith(b"\x1f\x8b"):
            return gzip.GzipFile(fileobj=raw).read(most)
        return bz2.BZ2File(raw).read(most) if start.startswith(b"BZh") else raw.read(most)


def _of_xz(content: bytes, most: int) -> bytes:
    try:
        import lzma
    except ImportError:
        raise ValueError("this Python cannot unpack xz") from None
    try:
        return lzma.LZMADecompressor(memlimit=XZ_MEMORY).decompress(content, most)
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from None


def _require_size(name: str, size: int, most: int) -> None:
    if size > most:
        raise ValueError(f"{name} is too large: {size} bytes")


def _base(name: str) -> str:
    """A file's name without its folders."""
    return name.rpartition("/")[2]
