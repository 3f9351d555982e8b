"""Read trained networks back from their model folders."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from convscope import files, nets
from convscope.runs import BEST, HISTORY, WEIGHTS
from convscope.tensors import read_tensors


def load_best(folder: Path) -> tuple[nn.Sequential, dict[str, Any]]:
    """A network's best run, ready for inference.

    Args:
        folder: The model folder of a network's grid.

    Returns:
        The network with the best epoch's weights, in evaluation mode, and what best.json says.

    Raises:
        UserError: A file is missing, damaged, or does not fit the network.
    """
    made_by = f"train {folder.name}"
    best = files.read_json(folder / BEST, made_by)
    try:
        weights = folder / "runs" / best["id"] / WEIGHTS
        md5 = best["md5"][WEIGHTS]
        module = nets.build(best["net"], **best["point"])
    except (ArithmeticError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise files.damaged(folder / BEST, made_by, repr(error)) from None
    tensors, _ = read_tensors(weights, made_by)
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise files.damaged(weights, made_by, str(error)) from None
    if files.digest(weights) != md5:
        raise files.damaged(weights, made_by, f"its md5 is not the one in {BEST}")
    return module.eval(), best


def history(folder: Path, needed: Iterable[str]) -> pd.DataFrame:
    """Every epoch of every run of a network, its history.csv.

    Args:
        folder: The model folder of a network's grid.
        needed: Columns that must be there.

    Raises:
        UserError: The file is missing or damaged, lacks a column, or has no rows.
    """
    path, made_by = folder / HISTORY, f"train {folder.name}"
    found = files.read_csv(path, made_by)
    if absent := [name for name in needed if name not in found]:
        raise files.damaged(path, made_by, f"it has no column {absent[0]}")
    if found.empty:
        raise files.damaged(path, made_by, "it has no rows")
    return found
