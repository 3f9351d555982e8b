"""Remove what a killed DVC has left half written, so that the next ``dvc repro`` can begin.

DVC writes dvc.lock and its list of locks in place: who dies meanwhile leaves part of a file, and
DVC then refuses to start. Neither holds anything that is not elsewhere: finished stages are found
again in DVC's cache.

    python -m convscope.stages.dvc_lock
"""

import contextlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zc.lockfile  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from convscope.base.errors import UserError

PIPELINE = Path("dvc.yaml")
LOCK = Path("dvc.lock")
CONFIGS = (Path(".dvc/config"), Path(".dvc/config.local"))
ALONE = Path(".dvc/tmp/lock")
PROCESSES = Path(".dvc/tmp/rwlock")
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_OTHER_HASHES = ("etag", "checksum")  # of what DVC takes from elsewhere
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)


def mend() -> list[Path]:
    """Remove the files that were cut short.

    Returns:
        Those that were removed; none while DVC is at work, which may be just writing them.

    Raises:
        UserError: This is not the project's folder, or no git repository, which DVC needs; or
            dvc.lock has the marks of a merge conflict.
    """
    if not PIPELINE.is_file():
        raise UserError(f"{PIPELINE} is missing: run this in the project's folder")
    if not _has_git():
        raise UserError("this folder is in no git repository, which DVC needs: run `git init`")
    ALONE.parent.mkdir(parents=True, exist_ok=True)
    try:
        alone = zc.lockfile.LockFile(str(ALONE))
    except zc.lockfile.LockError:
        return []
    with contextlib.closing(alone):
        return _remove_cut()


def _has_git() -> bool:
    """Whether DVC finds a git repository, or was told to do without."""
    here = Path.cwd()
    if any((folder / ".git").exists() for folder in (here, *here.parents)):
        return True
    configs = [path for path in CONFIGS if path.is_file()]
    return any("no_scm" in path.read_text(encoding="utf-8") for path in configs)


def _remove_cut() -> list[Path]:
    cut = [path for path, whole in ((LOCK, _lock), (PROCESSES, _json)) if _is_cut(path, whole)]
    for path in cut:
        path.unlink()
    return cut


def _is_cut(path: Path, whole: Any) -> bool:
    """Whether a file is there and not whole."""
    try:
        return not whole(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, YAMLError):
        return True


def _lock(text: str) -> bool:
    """Whether dvc.lock ends as DVC ends it, and every file in it has its hash."""
    if _CONFLICT.search(text):
        raise UserError(
            f"{LOCK} has a merge conflict: take a side, such as `git checkout --ours {LOCK}`, and "
            "run `dvc repro`"
        )
    stages = YAML(typ="safe", pure=True).load(text)["stages"].values()
    entries = [
        entry for stage in stages for part in ("deps", "outs") for entry in stage.get(part, [])
    ]
    return text.endswith("\n") and all(map(_has_hash, entries))


def _has_hash(entry: Mapping[str, Any]) -> bool:
    if any(name in entry for name in _OTHER_HASHES):
        return True
    return _MD5.fullmatch(entry["md5"]) is not None


def _json(text: str) -> bool:
    """Whether the list of DVC's own locks can be read."""
    json.loads(text)
    return True


def main() -> int:
    """Mend, and say what was done; the exit code is 2 for an error that the user can put right."""
    try:
        removed = mend()
    except UserError as error:
        print(f"convscope: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(
            f"convscope: {where}{error.strerror}: make room or give access there", file=sys.stderr
        )
        return 2
    for path in removed:
        print(
            f"convscope: removed {path}, which a killed DVC left half written; "
            "finished stages come from DVC's cache",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
