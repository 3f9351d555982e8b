"""Finished runs that DVC's cache still holds, for a clone whose store of runs does not.

DVC empties a stage's outputs before it runs the stage, so runs that were pulled from a remote would
be trained again as soon as their grid changes. They are still in DVC's cache then, and dvc.lock
still names them.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from convscope.base.files import atomic_write
from convscope.base.paths import HISTORY, RUN, WEIGHTS
from convscope.training.grid import store_folder
from convscope.training.run import Run
from convscope.training.trainer import is_finished

LOCK = Path("dvc.lock")
CACHE = Path(".dvc/cache/files/md5")
# run.json is copied last: it says that the run is whole
_FILES = (WEIGHTS, HISTORY, RUN)


def recall(runs: Iterable[Run], models: Path) -> None:
    """Bring runs into the store that DVC's cache holds and the store does not.

    Only runs of the same fingerprint are taken. Where there is no cache in its usual place, or
    nothing fits, the runs are left to be trained.

    Args:
        runs: The runs of a grid.
        models: The grid's model folder, as it was when dvc.lock was last written.
    """
    missing = [run for run in runs if not is_finished(run, store_folder(run))]
    held = cached(missing, models) if missing else {}
    for run in missing:
        for path, name in zip(held.get(run.fingerprint, ()), _FILES, strict=False):
            with atomic_write(store_folder(run) / name) as partial:
                shutil.copyfile(path, partial)


def cached(runs: Iterable[Run], models: Path) -> dict[str, tuple[Path, ...]]:
    """The runs that DVC's cache holds.

    Args:
        runs: The runs of a grid.
        models: The grid's model folder, as it was when dvc.lock was last written.

    Returns:
        By fingerprint, the cache's copies of a run's weights, history.csv and run.json; only for
        runs of which all are there and the fingerprint is the same.
    """
    held = _held(models)
    found = {}
    for run in runs:
        paths = tuple(held.get(f"runs/{run.id}/{name}", CACHE) for name in _FILES)
        if all(path.is_file() for path in paths) and _fingerprint(paths[-1]) == run.fingerprint:
            found[run.fingerprint] = paths
    return found


def _held(folder: Path) -> dict[str, Path]:
    """The files that a folder held by dvc.lock: relative paths to files in the cache."""
    for output, digest in _locked_folders().items():
        if folder.is_relative_to(output):
            inside = "".join(f"{part}/" for part in folder.relative_to(output).parts)
            return {
                path.removeprefix(inside): _cached(md5)
                for path, md5 in _listed(digest)
                if path.startswith(inside)
            }
    return {}


def _locked_folders() -> dict[Path, str]:
    """The output folders of dvc.lock, each with the digest of its list of files."""
    try:
        lock = YAML(typ="safe", pure=True).load(LOCK.read_text(encoding="utf-8"))
        outputs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
        return {Path(out["path"]): out["md5"] for out in outputs if out["md5"].endswith(".dir")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, YAMLError):
        return {}


def _listed(digest: str) -> list[tuple[str, str]]:
    """The relative paths and digests of a folder's files."""
    try:
        entries = json.loads(_cached(digest).read_text(encoding="utf-8"))
        return [(entry["relpath"], entry["md5"]) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _cached(digest: str) -> Path:
    return CACHE / digest[:2] / digest[2:]


def _fingerprint(run: Path) -> str | None:
    """The fingerprint in a cached run.json."""
    try:
        return str(json.loads(run.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
