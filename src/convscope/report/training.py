"""What the report says of a network's grid: its extent, its best run, and its tables."""

import math
from typing import Any, NamedTuple

import pandas as pd

from convscope.base.axes import AXES as GRID_AXES
from convscope.base.report_folder import Finished
from convscope.report import columns
from convscope.report.text import count, counted, percent

_FIRST = "dropout_rate"
# the order in which the study varies a network: its tables "by X" follow it
AXES = (_FIRST, *(axis for axis in GRID_AXES if axis != _FIRST), "seed")
_EPOCH = "epoch"


class TableBy(NamedTuple):
    """A table of means by some settings: its file, its caption, and the place of its best row."""

    name: str
    caption: str
    best: list[int]


def shown_run(folder: Finished) -> str:
    """The run whose network is shown and goes on to the analyses."""
    if folder.param("train", "select_on", str) == "validation":
        return "the run that held-out images selected"
    return "the best run"


def parameters(folder: Finished) -> str:
    """How many parameters the network has that is shown layer by layer."""
    return count(folder.filled("layers", numbers=["parameters"])["parameters"].sum())


def extent(folder: Finished) -> str:
    """How many runs of how many epochs, what they vary and what they share."""
    axes = _axes(folder)
    runs = counted(math.prod(map(len, axes.values())), "run")
    epochs = counted(folder.param("net", "epochs", int) or 0, "epoch")
    augmented = folder.param("net", "augment", bool)
    images = "randomly cropped, flipped and colored" if augmented else "unchanged"
    varied, shared = (
        "; ".join(
            f"{_heading(key)} {', '.join(map(str, values))}"
            for key, values in axes.items()
            if (len(values) > 1) is several
        )
        for several in (True, False)
    )
    sentences = [
        f"{runs} of {epochs} on {images} training images.",
        f"Varied: {varied}." if varied else "",
        f"The same for all: {shared}." if shared else "",
    ]
    return " ".join(filter(None, sentences))


def best_run(folder: Finished) -> pd.DataFrame:
    """The best run with the settings that the grid varies."""
    best = folder.filled("best")
    varied = {key for key, values in _axes(folder).items() if len(values) > 1}
    return best[[name for name in best if name not in AXES or name in varied]]


def tables(folder: Finished) -> list[TableBy]:
    """The tables "by X", in the order in which the study varies X, the finer ones first."""
    found = []
    for name in folder.named("by_*.csv"):
        frame = folder.filled(name, numbers=["test_accuracy"])
        keys = [key for key in frame if key in (_EPOCH, *AXES)]
        first = (_EPOCH, *AXES).index(keys[0]) if keys else len(AXES)
        caption = f"By {' and '.join(map(_heading, keys))}"
        best = highest(frame)[:1] if len(frame) > 1 else []
        found.append(((first, -len(keys), name), TableBy(name, caption, best)))
    return [table for _, table in sorted(found)]


def has_spreads(frame: pd.DataFrame) -> bool:
    """Whether a table has standard deviations over seeds."""
    return any(name.endswith(columns.SPREAD) for name in frame)


def no_epoch_above(folder: Finished) -> list[str]:
    """A sentence for each accuracy of overfit_above.csv that no epoch exceeds."""
    frame = folder.table("overfit_above", numbers=["test_accuracy_above", "epochs"])
    return [
        f"No epoch has a test accuracy above {percent(accuracy)}."
        for accuracy in frame.loc[frame["epochs"] == 0, "test_accuracy_above"]
    ]


def highest(frame: pd.DataFrame, name: str = "test_accuracy") -> list[int]:
    """The places of the rows that share the highest value of a column."""
    return [place for place, high in enumerate(frame[name] == frame[name].max()) if high]


def _axes(folder: Finished) -> dict[str, list[Any]]:
    """The values of each setting that the grid's runs combine, in the order of params.yaml."""
    keys = [key for key in folder.section("net") if key in AXES]
    values = {key: folder.param("net", key, list) or [] for key in keys}
    return values | {"seed": folder.param("train", "seeds", list) or [0]}


def _heading(key: str) -> str:
    """What a column is called, inside a sentence."""
    return columns.known(key)[0].lower()
