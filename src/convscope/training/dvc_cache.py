"""Finished runs that DVC's cache still holds, for a clone whose store of runs does not.

DVC empties a stage's outputs before it runs the stage, so runs that were pulled from a remote would
be trained again as soon as their grid changes. They are still in DVC's cache then, and dvc.lock
still names them.
"""

import json
import os
from collections.abc import Iterable
from configparser import ConfigParser
from configparser import Error as ParserError
from pathlib import Path

import platformdirs
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from convscope.base import files
from convscope.base.paths import RUN, RUN_FILES
from convscope.training.grid import store_folder
from convscope.training.run import Run
from convscope.training.trainer import is_finished

LOCK = Path("dvc.lock")
DVC = Path(".dvc")
_APP = ("dvc", "iterative")  # by these names it finds its configuration of a user, and of a machine
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, YAMLError)


def recall(runs: Iterable[Run], models: Path) -> None:
    """Bring runs into the store that it lacks and DVC's cache holds, from a grid's model folder.

    Where there is no cache, or nothing fits, the runs are left to be trained.
    """
    missing = [run for run in runs if not is_finished(run, store_folder(run))]
    held = cached(missing, models) if missing else {}
    for run in missing:
        # run.json comes last: it says that the run is complete
        for path, name in zip(held.get(run.fingerprint, ()), RUN_FILES, strict=False):
            with files.atomic_write(store_folder(run) / name) as partial:
                files.copy(path, partial)


def cached(runs: Iterable[Run], models: Path) -> dict[str, list[Path]]:
    """The cache's copies of weights, history.csv and run.json, by the fingerprint of the run."""
    held = _held(models)
    found = {}
    for run in runs:
        paths = [held.get(Path("runs") / run.id / name, DVC) for name in RUN_FILES]
        if all(path.is_file() for path in paths) and _fingerprint(paths[-1]) == run.fingerprint:
            found[run.fingerprint] = paths
    return found


def fingerprints(digest: str) -> set[str] | None:
    """Those of the runs in the model folder that has this hash; None unless all are cached."""
    cache = folder_of_cache()
    try:
        listed = json.loads(copy_of(digest, cache).read_text(encoding="utf-8"))
        documents = [each["md5"] for each in listed if Path(each["relpath"]).name == RUN]
    except _UNREADABLE:
        return None
    found = [_fingerprint(copy_of(document, cache)) for document in documents]
    return {str(each) for each in found} if all(found) else None


def _held(folder: Path) -> dict[Path, Path]:
    """The files that a folder held by dvc.lock: paths in it, and their copies in the cache."""
    try:
        lock = YAML(typ="safe").load(LOCK.read_text(encoding="utf-8"))
        outputs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
        for output in outputs:
            if folder.is_relative_to(output["path"]) and output["md5"].endswith(".dir"):
                inside = folder.relative_to(output["path"])
                cache = folder_of_cache()
                listed = json.loads(copy_of(output["md5"], cache).read_text(encoding="utf-8"))
                copies = {Path(each["relpath"]): copy_of(each["md5"], cache) for each in listed}
                return {
                    path.relative_to(inside): copy
                    for path, copy in copies.items()
                    if path.is_relative_to(inside)
                }
    except _UNREADABLE:
        pass
    return {}


def folder_of_cache() -> Path:
    """Where DVC keeps its cache: in its folder, or where its configuration says.

    A cache that projects share is set for a project, for a user or for the machine, and DVC sets
    it in the temporary folders of experiments.
    """
    folders = [
        os.environ.get("DVC_GLOBAL_CONFIG_DIR") or platformdirs.user_config_dir(*_APP),
        os.environ.get("DVC_SYSTEM_CONFIG_DIR") or platformdirs.site_config_dir(*_APP),
    ]
    configs = [DVC / "config.local", DVC / "config", *(Path(at) / "config" for at in folders)]
    for path in configs:
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(path, encoding="utf-8")
            return path.parent / parser["cache"]["dir"]
        except (KeyError, UnicodeError, ParserError):
            continue
    return DVC / "cache"


def copy_of(digest: str, cache: Path) -> Path:
    """The cache's copy of what has an md5."""
    return cache / "files" / "md5" / digest[:2] / digest[2:]


def _fingerprint(run: Path) -> object:
    """The fingerprint in a cached run.json."""
    try:
        return json.loads(run.read_text(encoding="utf-8"))["fingerprint"]
    except _UNREADABLE:
        return None
