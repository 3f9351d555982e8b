"""Why each run of a grid would be reused or trained; nothing on disk is changed."""

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from pydantic import BaseModel, ValidationError

from convscope.base import files, kernels, paths, runtime
from convscope.base.paths import HISTORY, RUN, WEIGHTS
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.data import datasets
from convscope.tracking.records import flatten
from convscope.training import checkpoints, dvc_cache, plan
from convscope.training.checkpoints import CHECKPOINT
from convscope.training.grid import store_folder
from convscope.training.run import Run
from convscope.training.trainer import is_complete, is_finished

REUSE, RESUME, TRAIN = "reuse", "resume", "train"
IDENTITY = {
    "data": "another data set",
    "code": "other training code",
    "layers": "another layer list",
}


@dataclass(frozen=True)
class Explained:
    """What would happen to a run, ``REUSE``, ``RESUME`` or ``TRAIN``, and why."""

    run: Run
    action: str
    why: str


class _Known(BaseModel):
    """The part of a run.json that says what the run's result depends on."""

    net: str
    point: dict[str, int | float]
    settings: dict[str, Any]
    identity: dict[str, str]
    computed_on: list[str] = []


def show(net: str | None = None, stream: TextIO | None = None) -> None:
    """Print a line for each run of a grid, or of all in params.yaml, and how many would be trained.

    Raises:
        UserError: params.yaml or the data set is missing or wrong, or they do not fit.
    """
    params, out = params_file.load(), stream or sys.stdout
    names = list(params.nets) if net is None else [net]
    for name in names:
        plan.section(params, name)
    dataset = datasets.load(paths.DATASET)
    found: list[Explained] = []
    for name in names:
        found += explain(plan.runs(params, name, dataset), paths.models_of(name))
    net_width = max((len(each.run.net) for each in found), default=0)
    id_width = max((len(each.run.id) for each in found), default=0)
    for each in found:
        start = f"{each.run.net:<{net_width}}  {each.run.id:<{id_width}}"
        print(f"{start}  {each.action:<{len(RESUME)}}  {each.why}", file=out)
    if is_outdated(params):
        print(
            f"params.yaml: data has changed since {paths.DATASET} was made: "
            "run `convscope download`, and explain again",
            file=out,
        )
    counts = Counter(each.action for each in found)
    actions = ", ".join(f"{counts[action]} to {action}" for action in (REUSE, RESUME, TRAIN))
    print(f"{len(found)} runs: {actions}", file=out)


def explain(runs: Sequence[Run], models: Path) -> list[Explained]:
    """Why the runs of a grid, whose model folder DVC may hold, would be reused or trained."""
    cached = dvc_cache.cached(runs, models)
    known = _finished_or_damaged()
    return [Explained(run, *_verdict(run, run.fingerprint in cached, known)) for run in runs]


def _verdict(run: Run, cached: bool, known: dict[Path, _Known]) -> tuple[str, str]:
    """What would happen to a run, and why; in the order in which a grid looks."""
    folder = store_folder(run)
    # a grid may be at work meanwhile
    if is_finished(run, folder) and (here := known.get(folder) or _read(folder / RUN)):
        kinds = here.computed_on
        elsewhere = kinds != [kernels.computed_on(runtime.device().type)]
        return REUSE, "finished in the store" + f", computed on {' and '.join(kinds)}" * elsewhere
    if cached:
        return REUSE, "finished, in DVC's cache"
    checkpoint = folder / CHECKPOINT
    if kept := checkpoints.read(checkpoint):
        return RESUME, f"interrupted after epoch {len(kept.history)} of {run.settings.epochs}"
    if is_finished(run, folder):
        return REUSE, "finished in the store"
    if any((folder / name).exists() for name in (RUN, HISTORY, WEIGHTS)):
        return TRAIN, f"the finished run in {folder} is damaged"
    if checkpoint.exists():
        return TRAIN, f"the checkpoint in {folder} is damaged"
    return TRAIN, _nearest(run, known)


def _nearest(run: Run, known: dict[Path, _Known]) -> str:
    """In what the finished run of the same point that differs least from this one differs."""
    differing = [
        (_differences(run, other), folder)
        for folder, other in known.items()
        if (other.net, other.point | {"seed": 0}) == (run.net, run.point | {"seed": 0})
    ]
    for differences, folder in sorted(differing, key=lambda pair: (len(pair[0]), pair)):
        if differences and is_complete(folder):
            return f"the nearest finished run has {', '.join(differences)}"
    return "no finished run of this point is known"


def _differences(run: Run, known: _Known) -> list[str]:
    """What a known run of the same network and shape has that this one has not."""
    found = []
    if known.point["seed"] != run.point["seed"]:
        found.append(f"seed {known.point['seed']}")
    settings = flatten(known.settings)
    for key, text in flatten(run.settings.effective()).items():
        if settings.get(key, text) != text:
            found.append(f"{key} {settings[key]}")
    for key, value in run.identity.items():
        if (other := known.identity.get(key)) != value:
            found.append(IDENTITY.get(key, f"{key} {other}"))
    return found


def _finished_or_damaged() -> dict[Path, _Known]:
    """What the store's folders say that they hold, complete or not."""
    found = {}
    for path in sorted(paths.KEPT_RUNS.glob(f"*/{RUN}")):
        known = _read(path)
        if known and "seed" in known.point:
            found[path.parent] = known
    return found


def _read(path: Path) -> _Known | None:
    """A run.json; None where there is none that can be read."""
    with suppress(OSError, ValidationError):
        return _Known.model_validate_json(path.read_bytes())
    return None


def is_outdated(params: Params) -> bool:
    """Whether the data set was made with other parameters than params.yaml has now."""
    used = paths.REPORTS / "download" / "params.json"
    if params.data is None or not used.is_file():
        return False
    now = {"data": params.data.used()}
    return bool(files.read_json(used, "download") != now)
