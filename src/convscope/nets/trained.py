"""Trained networks, read back from their model folders and checked."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, Field, ValidationError
from torch import Tensor, nn

from convscope.base import files, kernels, paths, runtime
from convscope.base.errors import UserError
from convscope.base.paths import BEST, HISTORY, WEIGHTS
from convscope.base.report_folder import MadeFrom
from convscope.base.tensors import read_tensors
from convscope.data import datasets
from convscope.data.augment import Augmentation
from convscope.data.datasets import DataSet
from convscope.nets import zoo

# the keys of an augmentation
STRENGTHS = f"^({'|'.join(each.name for each in fields(Augmentation))})$"


class _Stated(BaseModel, strict=True):
    """What best.json must say for others to rely on it."""

    class _Epoch(BaseModel):
        epoch: int
        test_accuracy: float
        train_accuracy: float
        overfit_percent: float

    class _Settings(BaseModel):
        augment: dict[Annotated[str, Field(pattern=STRENGTHS)], int | float]

    class _Identity(BaseModel):
        data: str

    run: int
    id: str
    net: str
    point: dict[str, int | float]
    settings: _Settings
    identity: _Identity
    total_parameters: int
    best: _Epoch
    md5: dict[str, str]
    fingerprint: str


@dataclass(frozen=True)
class Subject:
    """A network as ``load_best`` has it and its data set, on the device that computes.

    ``made_from`` is what results of it are made from.
    """

    module: nn.Sequential
    dataset: DataSet
    made_from: MadeFrom


def load_subject(net: str) -> Subject:
    """The best run of a network, ready to be analyzed.

    Raises:
        UserError: The data set or the model folder is missing or damaged, or they do not fit.
    """
    device = runtime.device()
    dataset = datasets.load(paths.DATASET).to(device)
    module, best = load_best(paths.models_of(net), dataset.fingerprint)
    return Subject(module.to(device), dataset, made_from(dataset, {net: best}))


def made_from(dataset: DataSet, best: Mapping[str, Mapping[str, Any]]) -> MadeFrom:
    """What results of the best runs of some networks, by their best.json, are made from."""
    runs = {net: str(stated["fingerprint"]) for net, stated in best.items()}
    return MadeFrom(dataset.fingerprint, runs, [kernels.computed_on(runtime.device().type)])


def fingerprint(
    net: str, point: Mapping[str, Any], settings: Mapping[str, Any], identity: Mapping[str, str]
) -> str:
    """A hash of all that a run's result depends on, by the parts that its run.json states."""
    parts = [net, dict(point), dict(settings), *identity.values()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def load_best(folder: Path, data: str) -> tuple[nn.Sequential, dict[str, Any]]:
    """A network with the weights of its best epoch, in evaluation mode, and what best.json says.

    Raises:
        UserError: A file of the model folder is missing, damaged, or does not fit the network, or
            the network was trained on another data set than that with the fingerprint ``data``.
    """
    made_by = f"train {folder.name}"
    best = files.read_json(folder / BEST, made_by)
    try:
        stated = _Stated.model_validate(best)
        weights = folder / "runs" / stated.id / WEIGHTS
        md5 = stated.md5[WEIGHTS]
        module = zoo.build(stated.net, **stated.point)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise files.damaged(folder / BEST, made_by, f"{where}: {first['msg']}") from None
    except (ArithmeticError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise files.damaged(folder / BEST, made_by, repr(error)) from None
    parts = (best[part] for part in ("net", "point", "settings", "identity"))
    if fingerprint(*parts) != stated.fingerprint:
        raise files.damaged(folder / BEST, made_by, "its fingerprint is that of another run")
    if stated.identity.data != data:
        raise UserError(
            f"{folder} was trained on another data set than the one that is here: run `convscope "
            f"{made_by}` (or `dvc repro`)"
        )
    tensors, _ = read_tensors(weights, made_by)
    if unlike := _unlike(tensors, module.state_dict()):
        raise files.damaged(weights, made_by, unlike)
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise files.damaged(weights, made_by, "it holds values that are not finite numbers")
    module.load_state_dict(tensors)
    if files.digest(weights) != md5:
        raise files.damaged(weights, made_by, f"its md5 is not the one in {BEST}")
    return module.eval(), best


def _unlike(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """The first thing by which weights are not a network's; "" if there is none."""
    if added := sorted(found.keys() - wanted.keys()):
        return f"it holds {added[0]}, which the network in {BEST} does not have"
    for name, tensor in wanted.items():
        if name not in found:
            return f"it lacks {name}"
        held, needed = (f"{each.dtype} {tuple(each.shape)}" for each in (found[name], tensor))
        if held != needed:
            return f"its {name} is {held}, not {needed}".replace("torch.", "")
    return ""


def widths(folder: Path) -> dict[str, int]:
    """How many filters each convolution of a model folder's best run has.

    Raises:
        UserError: Its best.json is missing or damaged.
    """
    made_by = f"train {folder.name}"
    best = files.read_json(folder / BEST, made_by)
    try:
        return zoo.widths(best["net"], **best["point"])
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise files.damaged(folder / BEST, made_by, repr(error)) from None


def history(folder: Path, needed: Sequence[str]) -> pd.DataFrame:
    """Every epoch of every run of a network, the history.csv of its model folder.

    Raises:
        UserError: The file is missing or damaged, has no rows, or lacks a needed column of finite
            numbers.
    """
    path, made_by = folder / HISTORY, f"train {folder.name}"
    found = files.read_csv(path, made_by)
    if absent := [name for name in needed if name not in found]:
        raise files.damaged(path, made_by, f"it has no column {absent[0]}")
    if found.empty:
        raise files.damaged(path, made_by, "it has no rows")
    files.require_finite(found, needed, path, made_by)
    return found
