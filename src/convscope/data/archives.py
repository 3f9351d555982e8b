"""Get a data set's archive from one of several urls, its md5 verified before it is opened."""

import errno
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field

from convscope.base.errors import UserError
from convscope.base.files import digest

STALL_SECONDS = 30.0  # without a byte, while connecting or reading
CHUNK_BYTES = 1 << 18
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # which no mirror is without
MAX_BYTES = 1_000_000_000  # six times CIFAR-10's archives; a server may send for ever

Progress = Callable[[str, int, int | None], None]


class Archive(BaseModel):
    """Where an archive is, and the md5 of its bytes, in lower case.

    The url is an http, https or file url; ``file:name.tar.gz`` is relative to the working folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, Field(pattern=r"^(https?|file):[^\x00-\x1f\x7f]*$", max_length=2000)]
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]

    @property
    def is_file(self) -> bool:
        """Whether this machine can read the archive without a download."""
        return self.url.startswith("file:")

    @property
    def origin(self) -> str:
        """The url as outputs may state it: of a file url, only the file's name."""
        if self.is_file:
            return f"file:{_local_path(self.url).name}"
        return self.url


class _WrongContentError(Exception):
    """The file is not the archive, however many bytes are added."""


def fetch(
    archives: Sequence[Archive], folder: Path, progress: Progress | None = None
) -> tuple[Path, Archive]:
    """Get the first of the archives that is available, its md5 verified.

    A file url is verified where it is. A download is kept as ``<md5>.tar.gz``. One that was cut off
    stays as ``.<md5>.tar.gz.partial``; the next attempt, on any mirror, goes on from there.

    Args:
        archives: Tried in order. If none is available, a UserError says why for each.
        folder: Where downloads are kept; created when needed.
        progress: Called during a download with the url, the bytes so far, and the bytes in all
            (None where the server does not say).

    Returns:
        The verified file, and the first of ``archives`` with its md5, not the mirror of it that
        answered: what is made from the file must not depend on that.

    Raises:
        UserError: None is available.
        OSError: ``folder`` cannot be written.
    """
    failures = []
    for archive in archives:
        if not archive.is_file:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            path = _obtain(archive, folder, progress)
        except (OSError, http.client.HTTPException, ValueError, _WrongContentError) as error:
            if isinstance(error, OSError) and error.errno in _DISK:
                error.filename = error.filename or str(folder)  # a full disk does not say where
                raise
            failures.append(f"{archive.url}, md5 {archive.md5} ({_reason(error)})")
        else:
            return path, next(other for other in archives if other.md5 == archive.md5)
    raise UserError(
        "params.yaml: data.archives: no archive is available: "
        f"{'; '.join(failures) or 'the list is empty'}. "
        "To go on offline, download one of them by any means and set data.archives to "
        "[{url: file:///path/of/the/archive.tar.gz, md5: the md5 given here with its url}], "
        "or use data=digits"
    )


def _obtain(archive: Archive, folder: Path, progress: Progress | None) -> Path:
    """The archive's verified file."""
    if archive.is_file:
        local = _local_path(archive.url)
        if local.is_dir():
            raise OSError("it is a folder: name it in data.path")
        if local.exists() and not local.is_file():
            raise OSError("it is not a file")
        _verify(local, archive.md5)
        return local
    kept = folder / f"{archive.md5}.tar.gz"
    if kept.is_file() and digest(kept) == archive.md5:
        return kept
    partial = folder / f".{kept.name}.partial"
    resuming = partial.exists()
    try:
        if not (resuming and digest(partial) == archive.md5):  # it may have ended just before
            _download(archive.url, partial, progress)
            _verify(partial, archive.md5)
    except _WrongContentError:
        partial.unlink()
        if not resuming:
            raise
        # what was there before may be what is wrong: once more, from the first byte
        return _obtain(archive, folder, progress)
    return partial.replace(kept)


def _local_path(url: str) -> Path:
    """The path that a file url names, also of one in which nobody has quoted what URLs reserve."""
    path = url.removeprefix("file:")
    if path.startswith("//"):
        host, slash, path = path.removeprefix("//").partition("/")
        if host not in ("", "localhost"):
            raise ValueError("a file url is file:///absolute/path or file:relative/path")
        path = slash + path
    return Path(unquote(path))


def _download(url: str, partial: Path, progress: Progress | None) -> None:
    """Bring ``partial`` to its full length, keeping the bytes that it already has."""
    held = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "convscope"})
    if held:
        request.add_header("Range", f"bytes={held}-")
    try:
        response = urllib.request.urlopen(request, timeout=STALL_SECONDS)
    except urllib.error.HTTPError as error:
        if held and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _WrongContentError("the partial download is too long") from None
        raise
    with response:
        # a server may ignore the range and send the complete file
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        done = held if resumed else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        with partial.open("ab" if resumed else "wb") as out:
            while chunk := response.read1(CHUNK_BYTES):
                out.write(chunk)
                done += len(chunk)
                if done > MAX_BYTES:
                    raise _WrongContentError(f"it is larger than {MAX_BYTES / 1e9:g} GB")
                if progress is not None:
                    progress(url, done, total)
    if total is not None and done != total:
        raise OSError(f"the connection was cut after {done} of {total} bytes")


def _verify(path: Path, md5: str) -> None:
    if (found := digest(path)) == md5:
        return
    with path.open("rb") as stream:
        is_page = stream.read(CHUNK_BYTES).lstrip().startswith(b"<")
    what = "it is a web page: " if is_page else ""
    raise _WrongContentError(f"{what}its md5 is {found}, not {md5}")


def _reason(error: Exception) -> str:
    """Why an attempt failed, in a few words on one line."""
    if isinstance(error, TimeoutError):
        return f"not a byte for {STALL_SECONDS:g} s"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
