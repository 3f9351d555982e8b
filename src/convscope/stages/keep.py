"""Keep what a finished pipeline found in a small folder: tables, figures, claims, and how it ran.

The folder is for people and for version control. Weights, data and whole maps stay behind; with
its params.yaml, on the same kind of machine, the pipeline makes them again.
"""

import csv
import importlib.metadata
import math
import os
import platform
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from convscope.base import files, machine, paths, runtime
from convscope.base.errors import UserError
from convscope.base.paths import RUN
from convscope.base.timings import TIMINGS
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.config.schema import Section
from convscope.tracking.provenance import provenance

ABOUT = "about.json"
ENDINGS = (".csv", ".json", ".md", ".png")
PACKAGES = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "scikit-learn", "dvc")
MEGABYTE = 1_000_000
# tables of every image or every pixel are raw material, not results
RAW = ("map_*.csv", "predictions.csv")
# of a model folder these two say what was trained; the rest is weights
_OF_MODELS = ("history.csv", "best.json")
_LINK = re.compile(r"(?<!!)\[((?:\\.|[^\]\\])*)\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def keep(root: Path, target: Path) -> list[Path]:
    """Copy the small result files of a finished pipeline.

    In the copied report, links to files that are not kept become plain text.

    Args:
        root: The project folder; its report must be there.
        target: The folder to make; an earlier one is replaced whole.

    Returns:
        The copied files, relative to ``target``, sorted.

    Raises:
        UserError: There is no report, params.yaml is not what the stages ran with, or ``target``
            is a link, among the results, or a folder that this function did not make.
    """
    if not (root / paths.REPORTS / "report.md").is_file():
        raise UserError(f"{paths.REPORTS / 'report.md'} is missing: run `dvc repro` first")
    _require_own_folder(root, target)
    _require_same_params(root)
    with files.atomic_folder(target) as partial:
        for path in _results(root):
            files.copy(path, partial / path.relative_to(root))
        _unlink(partial / paths.REPORTS / "report.md")
        files.write_json(partial / ABOUT, about(root))
        return sorted(path.relative_to(partial) for path in partial.rglob("*") if path.is_file())


def _require_own_folder(root: Path, target: Path) -> None:
    """Refuse to replace what this module did not make, and to become a result itself."""
    if target.is_symlink() or ".." in target.parts:
        raise UserError(f"{target} is a link or leads upwards: name the folder itself")
    for name in (paths.REPORTS, paths.MODELS, paths.DATASET.parent):
        if target.resolve().is_relative_to((root / name).resolve()):
            raise UserError(f"{target} is among the results: name a folder outside {name}/")
    if target.exists() and not _is_kept(target):
        raise UserError(f"{target} holds something else: name another folder")


def _is_kept(folder: Path) -> bool:
    """Whether a folder is one that ``keep`` made, with nothing added."""
    try:
        stated = files.read_json(folder / ABOUT, "report")
    except UserError:
        return False
    ours = isinstance(stated, dict) and {"data", "versions", "stage_seconds"} <= set(stated)
    return ours and all(
        path.suffix in ENDINGS or path.name == paths.PARAMS.name
        for path in folder.rglob("*")
        if not path.is_dir()
    )


def _require_same_params(root: Path) -> None:
    """Refuse a params.yaml that was changed after a stage ran: the results are not its own."""
    params = params_file.load(root / paths.PARAMS)
    reports = root / paths.REPORTS
    for path in sorted(chain(reports.glob("*/params.json"), reports.glob("train/*/params.json"))):
        name = path.parent.name
        stage = name if path.parent.parent == reports else paths.stage_of(name)
        used = _used(path, stage.replace("@", " "))
        if changed := next(_changed(params, used, name), None):
            raise UserError(
                f"params.yaml: {changed} is not what stage {stage} ran with: run `dvc repro` first"
            )


def _used(path: Path, made_by: str) -> dict[str, dict[str, Any]]:
    """A stage's params.json: the sections that it used, with their keys and values."""
    used = files.read_json(path, made_by)
    if not isinstance(used, dict) or not all(isinstance(then, dict) for then in used.values()):
        raise files.damaged(path, made_by, "it holds no sections")
    return used


def _changed(params: Params, used: dict[str, dict[str, Any]], net: str) -> Iterator[str]:
    """The keys of params.yaml whose values differ from those that a stage's params.json has.

    What a stage leaves out there, such as where archives are, changes nothing.
    """
    for key, then in used.items():
        section = params.nets.get(net) if key == "net" else getattr(params, key, None)
        now = section.model_dump(mode="json") if isinstance(section, Section) else {}
        place = f"nets.{net}" if key == "net" else key
        yield from (
            f"{place}.{name}" for name in then if name not in now or now[name] != then[name]
        )


def _unlink(report: Path) -> None:
    """Turn a Markdown file's links to files that are not there into plain text."""

    def kept(link: re.Match[str]) -> str:
        text, target = link.groups()
        if _ELSEWHERE.match(target) or (report.parent / unquote(target)).exists():
            return link[0]
        return f"{text} (not kept)"

    files.write_text(report, _LINK.sub(kept, report.read_text(encoding="utf-8")))


def _results(root: Path) -> Iterator[Path]:
    """The files worth keeping, in order."""
    yield root / "params.yaml"
    for path in sorted((root / paths.REPORTS).rglob("*")):
        result = path.is_file() and path.suffix in ENDINGS and path.name != "README.md"
        if result and "runs" not in path.parts and not any(map(path.match, RAW)):
            yield path
    for folder in sorted(path for path in (root / paths.MODELS).glob("*") if path.is_dir()):
        yield from (folder / name for name in _OF_MODELS if (folder / name).is_file())


def about(root: Path) -> dict[str, Any]:
    """Where and how long the pipeline ran.

    Args:
        root: The project folder.

    Returns:
        The data set's name and its archive's md5; this machine, its Python and its packages; the
        git commit; and as logs/timings.csv has them last, the seconds of each stage (without the
        runs that it reused), and of each stage's training runs that are there, whenever they were
        trained, added up though some trained side by side. A run that was trained elsewhere is not
        among the timed ones.
    """
    data = files.read_json(root / paths.REPORTS / "download" / "dataset.json", "download")
    found = provenance(root)
    stages, timed = _seconds(root / TIMINGS)
    trained = _trained(root)
    runs = [timed[fingerprint] for fingerprint in sorted(trained) if fingerprint in timed]
    training = {stage: 0.0 for stage, _ in sorted(runs)}
    for stage, seconds in runs:
        training[stage] = round(training[stage] + seconds, 3)
    return {
        "data": {key: data.get(key, "") for key in ("name", "md5")},
        "machine": _machine(),
        "versions": {"python": platform.python_version(), **_versions()},
        "git": {key: found.get(key, "") for key in ("git_commit", "git_dirty")},
        "stage_seconds": stages,
        "training_runs": len(trained),
        "timed_training_runs": len(runs),
        "training_seconds": training,
    }


def _machine() -> dict[str, Any]:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": machine.processor(),
        "cores": os.cpu_count(),
        "memory_megabytes": pages * size // MEGABYTE,
        "accelerator": _accelerator(),
        "system": platform.system(),
    }


def _accelerator() -> str:
    import torch

    device = runtime.device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "none"


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # a machine that only trains has no pipeline
    return found


def _trained(root: Path) -> set[str]:
    """The fingerprints of the runs in the model folders."""
    return {
        str(files.read_json(path, "train")["fingerprint"])
        for path in (root / paths.MODELS).glob(f"*/runs/*/{RUN}")
    }


def _seconds(path: Path) -> tuple[dict[str, float], dict[str, tuple[str, float]]]:
    """Last durations: of each stage, and of each training run, with its stage, by fingerprint."""
    stages: dict[str, float] = {}
    runs: dict[str, tuple[str, float]] = {}
    if not path.is_file():
        return stages, runs
    with path.open(encoding="utf-8", newline="", errors="replace") as stream:
        for row in csv.DictReader(stream):
            try:
                stage, run, seconds = row["stage"], row["run"], float(row["seconds"])
                fingerprint = row["fingerprint"]
            except (KeyError, TypeError, ValueError):
                continue  # a line that was cut short when its process was killed
            if not math.isfinite(seconds):
                continue
            if run:
                runs[fingerprint] = stage, seconds
            else:
                stages[stage] = seconds
    return stages, runs
