"""Files written completely or not at all, and read with errors that name the stage to run."""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convscope.base import inputs
from convscope.base.errors import UserError

if TYPE_CHECKING:
    import pandas as pd  # a third of a second, which commands without tables are spared

# columns of classes' names, which may look like numbers
NAMES = ("class", "max_class", "predicted", "true")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file, under the temporary path given, completely or not at all; make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = str(path)  # a full disk does not say where
        raise
    finally:
        partial.unlink(missing_ok=True)


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes; an error names the copy where that is what cannot be made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        # of two files shutil names the first, which may be intact
        if source.is_file():
            error.filename, error.filename2 = str(target), None
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Replace a folder by the temporary one given, completely or not at all."""
    partial, former = (path.with_name(f".{path.name}.{kind}") for kind in ("partial", "former"))
    _put_back(former, path)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            path.replace(former)
        partial.replace(path)
    finally:
        _put_back(former, path)
        shutil.rmtree(partial, ignore_errors=True)


def _put_back(former: Path, path: Path) -> None:
    """Restore the former folder if none has replaced it, and remove it otherwise."""
    if former.exists() and not path.exists():
        former.replace(path)
    shutil.rmtree(former, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes as they are."""
    with atomic_write(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write an indented JSON document; NaN or an infinity in it is a ValueError."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def write_csv(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table without its index; floats in the shortest form that reads back the same."""
    write_text(path, frame.to_csv(index=False, lineterminator="\n"))


@contextmanager
def reading(path: Path, made_by: str) -> Iterator[None]:
    """Make a UserError of what the readers of a missing or damaged file raise.

    What the system refuses to read may be intact, and stays an OSError.
    """
    inputs.note_file(path)
    try:
        yield
    except FileNotFoundError:
        raise missing(path, made_by) from None
    except OSError as error:
        if error.errno and (path.is_file() or isinstance(error, NotADirectoryError)):
            error.filename = error.filename or str(path)
            raise
        why = "it is a folder" if path.is_dir() else str(error)
        raise damaged(path, made_by, why) from None
    except (ValueError, RecursionError, csv.Error) as error:
        raise damaged(path, made_by, str(error)) from None


def read_json(path: Path, made_by: str) -> Any:
    """Read a JSON file; a missing or damaged one is a UserError."""
    with reading(path, made_by):
        return json.loads(path.read_text(encoding="utf-8"))


def read_csv(path: Path, made_by: str) -> "pd.DataFrame":
    """Read what ``write_csv`` wrote; a missing, damaged or cut table is a UserError."""
    import pandas as pd

    with reading(path, made_by):
        text = path.read_text(encoding="utf-8")
        frame = pd.read_csv(
            io.StringIO(text),
            keep_default_na=False,
            na_values=[""],
            dtype=dict.fromkeys(NAMES, str),
        )
        lengths = {len(row) for row in csv.reader(io.StringIO(text, newline=""))}
    if not text.endswith("\n"):
        raise damaged(path, made_by, "its last line is cut")
    # pandas fills up short rows, and takes the start of long ones for an index
    if len(lengths) != 1:
        raise damaged(path, made_by, "its rows are not all as long as its first")
    return frame


def require_finite(frame: "pd.DataFrame", names: Iterable[str], path: Path, made_by: str) -> None:
    """Raise a UserError unless some columns of a table hold finite numbers only."""
    import numpy as np
    import pandas as pd

    for name in names:
        values = pd.to_numeric(frame[name], errors="coerce")
        if not bool(np.isfinite(values.to_numpy(dtype=float)).all()):
            why = f"its column {name} holds something that is not a finite number"
            raise damaged(path, made_by, why)


def missing(path: Path, made_by: str) -> UserError:
    """The error for an input file that is not there."""
    return UserError(f"{path} is missing: run `convscope {made_by}` (or `dvc repro`) to make it")


def damaged(path: Path, made_by: str, why: str) -> UserError:
    """The error for an input file that cannot be read."""
    reason = " ".join(why.split())
    remedy = f"delete it and run `convscope {made_by}` (or `dvc repro`)"
    return UserError(f"{path} is damaged ({reason}): {remedy}")


def digest(path: Path, algorithm: str = "md5") -> str:
    """The hexadecimal digest of a file's bytes; md5 is what DVC and the archives' hosts state."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def folder_digest(md5s: Mapping[str, str]) -> str:
    """What DVC has for a folder's hash, by the md5 of each file and its path in the folder."""
    entries = [{"md5": md5s[name], "relpath": name} for name in sorted(md5s)]
    return hashlib.md5(json.dumps(entries).encode()).hexdigest() + ".dir"
