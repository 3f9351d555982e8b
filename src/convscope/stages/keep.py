"""Keep what a finished pipeline found in a small folder: tables, figures, claims, and how it ran.

The folder is for people and for version control. Weights, data and the tables of all images stay
behind; with its params.yaml, on the same kind of machine, the pipeline makes them again.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import torch

from convscope.base import consistency, files, machine, paths, runtime, timings
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.config.schema import Grid, Section, Selecting
from convscope.nets import filter_selection, trained
from convscope.report.explorer import page
from convscope.stages.explore import PAGE as EXPLORER
from convscope.stages.pipeline import LOCK
from convscope.tracking.finished import grid_runs
from convscope.tracking.provenance import provenance

ABOUT = "about.json"
ENDINGS = (".csv", ".json", ".md", ".png")
PACKAGES = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "scikit-learn", "dvc")
MEGABYTE = 1_000_000
# tables of every image or every pixel are raw material, not results
RAW = ("map_*.csv", "predictions.csv")
_LINK = re.compile(r"(?<!!)\[((?:\\.|[^\]\\])*)\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def keep(root: Path, target: Path) -> list[Path]:
    """Copy the small result files of a finished pipeline to a folder; an earlier one is replaced.

    In the copied report, links to files that are not kept become plain text.

    Returns:
        The copied files, relative to ``target``, sorted.

    Raises:
        UserError: There is no report, params.yaml is not what the stages ran with, they were not
            made from one another, or ``target`` is a link, among the results, or a folder that
            this function did not make.
    """
    if not (root / paths.REPORTS / "report.md").is_file():
        raise UserError(f"{paths.REPORTS / 'report.md'} is missing: run `dvc repro` first")
    _require_own_folder(root, target)
    _require_same_params(root)
    consistency.require_consistent(root / paths.REPORTS)
    _require_recorded(root)
    with files.atomic_folder(target) as partial:
        for path in _results(root):
            files.copy(path, partial / path.relative_to(root))
        _unlink(partial / paths.REPORTS / "report.md")
        _link_to_markdown(partial / EXPLORER)
        files.write_json(partial / ABOUT, about(root))
        return sorted(path.relative_to(partial) for path in partial.rglob("*") if path.is_file())


def _require_own_folder(root: Path, target: Path) -> None:
    if target.is_symlink() or ".." in target.parts:
        raise UserError(f"{target} is a link or leads upwards: name the folder itself")
    for name in (paths.REPORTS, paths.MODELS, paths.DATASET.parent):
        if target.resolve().is_relative_to((root / name).resolve()):
            raise UserError(f"{target} is among the results: name a folder outside {name}/")
    if target.exists() and not _is_kept(target):
        raise UserError(f"{target} is not a folder that `convscope keep` made: name another")


def _is_kept(folder: Path) -> bool:
    """Whether a folder is one that ``keep`` made, with nothing added."""
    try:
        stated = files.read_json(folder / ABOUT, "report")
    except UserError:
        return False
    ours = isinstance(stated, dict) and {"data", "versions", "stage_seconds"} <= set(stated)
    return ours and all(
        path.is_dir() or path.suffix in ENDINGS or path.name in (paths.PARAMS.name, EXPLORER.name)
        for path in folder.rglob("*")
    )


def _require_same_params(root: Path) -> None:
    """Refuse a params.yaml that was changed after a stage ran: the results are not its own."""
    params = params_file.load(root / paths.PARAMS)
    for folder in Finished.all(root / paths.REPORTS):
        if changed := next(_changed(params, folder, root), None):
            raise UserError(
                f"params.yaml: {changed} is not what stage {folder.stage} ran with: "
                "run `dvc repro` first"
            )


def _require_recorded(root: Path) -> None:
    """Refuse results that DVC, where it is at work, has as others', or as of other code or data."""
    if not (root / LOCK).is_file() or importlib.util.find_spec("dvc") is None:
        return
    command = [sys.executable, "-m", "dvc", "--cd", str(root), "status", "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise UserError(
            f"`dvc status` failed ({' '.join(said.stderr.split())}): put that right, and keep again"
        )
    if changed := json.loads(said.stdout):
        raise UserError(
            f"{LOCK} does not record the results of {next(iter(changed))} that are here: run `dvc "
            "repro`, or for results that were made by hand `dvc commit -f`"
        )


def _changed(params: Params, folder: Finished, root: Path) -> Iterator[str]:
    """The keys of a stage's params.json, which has all that matters, that are not as they were."""
    net = folder.path.name
    if folder.params.get("kernels", params.kernels) != params.kernels:
        yield "kernels"
    for key, then in folder.sections.items():
        section = params.nets.get(net) if key == "net" else getattr(params, key, None)
        now = _used(section, params, root)
        place = f"nets.{net}" if key == "net" else key
        # archives are used and not stated
        names = dict.fromkeys((*then, *(now if key == "net" else ())))
        yield from (f"{place}.{name}" for name in names if then.get(name) != now.get(name))


def _used(section: object, params: Params, root: Path) -> dict[str, Any]:
    """A section as the stage that uses it would state it now."""
    if isinstance(section, Grid):
        return section.used()
    if isinstance(section, Selecting) and params.analysis:
        known = trained.widths(root / paths.models_of(params.analysis.net))
        with suppress(ValueError):
            chosen = filter_selection.resolve(section.filters, section.convolutions, known)
            return section.used(chosen)
    return section.model_dump(mode="json") if isinstance(section, Section) else {}


def _unlink(report: Path) -> None:
    """Turn a Markdown file's links to files that are not there into plain text."""

    def kept(link: re.Match[str]) -> str:
        text, target = link.groups()
        if _ELSEWHERE.match(target) or (report.parent / unquote(target)).exists():
            return link[0]
        return f"{text} (not kept)"

    files.write_text(report, _LINK.sub(kept, report.read_text(encoding="utf-8")))


def _link_to_markdown(path: Path) -> None:
    """The kept page leads to the report that is kept beside it."""
    if path.is_file():
        files.write_text(path, page.leading_to("report.md", path.read_text(encoding="utf-8")))


def _results(root: Path) -> Iterator[Path]:
    yield root / paths.PARAMS
    for path in sorted((root / paths.REPORTS).rglob("*")):
        small = path.suffix in ENDINGS or path == root / EXPLORER
        result = path.is_file() and small and path.name != "README.md"
        if result and "runs" not in path.parts and not any(map(path.match, RAW)):
            yield path
    # the rest of a model folder is weights
    for name in (paths.HISTORY, paths.BEST):
        yield from (path for path in (root / paths.MODELS).glob(f"[a-z]*/{name}") if path.is_file())


def about(root: Path) -> dict[str, Any]:
    """Where and how long the pipeline ran, as logs/timings.csv has it last.

    The seconds of a stage are without the runs that it reused. Those of its training runs are
    added up though some trained at the same time, whenever that was; a run that was trained
    elsewhere is not among the timed ones.
    """
    data = Finished(root / paths.REPORTS, "download").json("dataset")
    found = provenance(root)
    device, memory = runtime.device(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    nets = [path.name for path in (root / paths.MODELS).glob("[a-z]*/")]
    finished = {run["fingerprint"] for net in nets for _, run in grid_runs(root, net)}
    log = timings.read(root / timings.TIMINGS)
    stages = log[log["run"] == ""]
    runs = log[(log["run"] != "") & log["fingerprint"].isin(finished)]
    runs = runs.drop_duplicates("fingerprint", keep="last")
    return {
        "data": {key: data.get(key, "") for key in ("name", "md5")},
        "machine": {
            "processor": machine.processor(),
            "cores": os.cpu_count(),
            "memory_megabytes": memory // MEGABYTE,
            "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else "none",
            "system": platform.system(),
        },
        "computed_on": {
            folder.name: list(folder.made_from.computed_on)
            for folder in Finished.all(root / paths.REPORTS)
            if folder.made_from.computed_on
        },
        "versions": {"python": platform.python_version(), **dict(_versions())},
        "git": {key: found.get(key, "") for key in ("git_commit", "git_dirty")},
        "stage_seconds": dict(zip(stages["stage"], stages["seconds"], strict=True)),
        "training_runs": len(finished),
        "timed_training_runs": len(runs),
        "training_seconds": runs.groupby("stage")["seconds"].sum().round(3).to_dict(),
    }


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        # a machine that only trains has no pipeline
        with suppress(importlib.metadata.PackageNotFoundError):
            yield name, importlib.metadata.version(name)
