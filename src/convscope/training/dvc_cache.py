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
# run.json is copied last: it says that the run is complete
_FILES = (WEIGHTS, HISTORY, RUN)
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, YAMLError)


def recall(runs: Iterable[Run], models: Path) -> None:
    """Bring runs into the store that it lacks and DVC's cache holds, from a grid's model folder.

    Where there is no cache in its usual place, or nothing fits, the runs are left to be trained.
    """
    missing = [run for run in runs if not is_finished(run, store_folder(run))]
    held = cached(missing, models) if missing else {}
    for run in missing:
        for path, name in zip(held.get(run.fingerprint, ()), _FILES, strict=False):
            with atomic_write(store_folder(run) / name) as partial:
                shutil.copyfile(path, partial)


def cached(runs: Iterable[Run], models: Path) -> dict[str, list[Path]]:
    """The cache's copies of weights, history.csv and run.json, by the fingerprint of the run."""
    held = _held(models)
    found = {}
    for run in runs:
        paths = [held.get(Path("runs") / run.id / name, CACHE) for name in _FILES]
        if all(path.is_file() for path in paths) and _fingerprint(paths[-1]) == run.fingerprint:
            found[run.fingerprint] = paths
    return found


def _held(folder: Path) -> dict[Path, Path]:
    """The files that a folder held by dvc.lock: paths in it, and their copies in the cache."""
    try:
        lock = YAML(typ="safe", pure=True).load(LOCK.read_text(encoding="utf-8"))
        outputs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
        for output in outputs:
            if folder.is_relative_to(output["path"]) and output["md5"].endswith(".dir"):
                inside = folder.relative_to(output["path"])
                listed = json.loads(_cached(output["md5"]).read_text(encoding="utf-8"))
                files = {Path(each["relpath"]): _cached(each["md5"]) for each in listed}
                return {
                    path.relative_to(inside): copy
                    for path, copy in files.items()
                    if path.is_relative_to(inside)
                }
    except _UNREADABLE:
        pass
    return {}


def _cached(digest: str) -> Path:
    return CACHE / digest[:2] / digest[2:]


def _fingerprint(run: Path) -> object:
    """The fingerprint in a cached run.json."""
    try:
        return json.loads(run.read_text(encoding="utf-8"))["fingerprint"]
    except _UNREADABLE:
        return None
