"""Remove what a killed DVC left half written, so that the next ``dvc repro`` can begin.

DVC writes dvc.lock and its list of locks in place: killed meanwhile, it leaves part of a file and
then refuses to start. Neither file holds anything that is not elsewhere: finished stages are found
again in DVC's cache.
"""

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
import zc.lockfile  # type: ignore[import-untyped]

from convscope.base.errors import UserError
from convscope.stages import pipeline
from convscope.stages.pipeline import LOCK, PIPELINE

CONFIGS = (Path(".dvc/config"), Path(".dvc/config.local"))
DVC_AT_WORK = Path(".dvc/tmp/lock")
PROCESSES = Path(".dvc/tmp/rwlock")
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)


def mend() -> list[Path]:
    """Remove the files that were cut short.

    Returns:
        Those that were removed; none while DVC is at work, which may be just writing them.

    Raises:
        UserError: This is not the project's folder, or not a git repository, which DVC needs; or
            dvc.lock has the marks of a merge conflict.
    """
    if not PIPELINE.is_file():
        raise UserError(f"{PIPELINE} is missing: run this in the project's folder")
    if not (in_git() or _needs_no_git()):
        raise UserError("this folder is not in a git repository, which DVC needs: run `git init`")
    DVC_AT_WORK.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = zc.lockfile.LockFile(str(DVC_AT_WORK))
    except zc.lockfile.LockError:
        return []
    with contextlib.closing(lock):
        readers = ((LOCK, _read_lock), (PROCESSES, json.loads))
        cut = [path for path, read in readers if _is_cut(path, read)]
        for path in cut:
            path.unlink()
        return cut


def in_git() -> bool:
    """Whether the current folder is in a git repository."""
    here = Path.cwd()
    return any((folder / ".git").exists() for folder in (here, *here.parents))


def _needs_no_git() -> bool:
    """Whether DVC's configuration says so."""
    configs = [path for path in CONFIGS if path.is_file()]
    return any("no_scm" in path.read_text(encoding="utf-8") for path in configs)


def _is_cut(path: Path, read: Callable[[str], object]) -> bool:
    try:
        read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
        return True
    return False


def _read_lock(text: str) -> None:
    """Read dvc.lock; one that does not end as DVC ends it, or lacks a hash, is a ValueError."""
    if _CONFLICT.search(text):
        raise UserError(
            f"{LOCK} has a merge conflict: take a side, such as `git checkout --ours {LOCK}`, and "
            "run `dvc repro`"
        )
    stages = pipeline.load(text)["stages"].values()
    entries = [
        entry for stage in stages for part in ("deps", "outs") for entry in stage.get(part, [])
    ]
    if not text.endswith("\n") or not all(map(_has_hash, entries)):
        raise ValueError("cut short")


def _has_hash(entry: Mapping[str, Any]) -> bool:
    # what DVC takes from elsewhere has a hash of another kind
    return "etag" in entry or "checksum" in entry or bool(_MD5.fullmatch(entry["md5"]))
