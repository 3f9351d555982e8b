"""Sentences and tables on the networks' grids, their best runs and how these are tested."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from convscope.base.names import AUGMENTED, CLEAN, POINT, STUDY
from convscope.base.report_folder import Finished
from convscope.report.document import columns
from convscope.report.document.columns import Headings, Kind
from convscope.report.document.text import count, counted, listed, natural, percent
from convscope.study import published

# the order in which the study varies a network: its tables "by X" follow it
AXES = sorted(POINT, key=lambda axis: axis != "dropout_rate")
_GAINS = {
    "Clean instead of augmented images (points)": (CLEAN, AUGMENTED),
    "Evaluation instead of training mode (points)": (AUGMENTED, STUDY),
    "Both (points)": (CLEAN, STUDY),
}
_AUGMENT = {
    "padding": "shifted by up to {} pixels",
    "flip": "mirrored with probability {:g}",
    "brightness": "brightness ± {:g}",
    "contrast": "contrast ± {:g}",
    "saturation": "saturation ± {:g}",
    "hue": "hue ± {:g}",
}


def differences(folder: Finished) -> list[str] | None:
    """What of a grid is not as in the study: ``"epochs 8 (study: 30)"``; None if it has no such."""
    data = Finished(folder.reports, "download")
    params = {**folder.sections, **(data.sections if data.exists else {})}
    settings = published.differing(folder.path.name, params)
    if settings is None:
        return None
    return [f"{each.key} {_values(each.ours)} (study: {_values(each.theirs)})" for each in settings]


def takes_fewer_images(download: Finished) -> bool:
    """Whether only a part of CIFAR-10 was taken."""
    return bool(published.fewer_images(download.sections))


def made_of(folder: Finished) -> str:
    """A sentence on a network that the study does not have, from its layers; empty of the study's.

    Raises:
        UserError: layers.csv is missing or damaged.
    """
    if published.differing(folder.path.name, folder.sections) is not None:
        return ""
    layers = folder.filled("layers", ["layer", "what"], numbers=["width"])
    kinds = layers["layer"].astype(str).str.rstrip("0123456789")
    convolutions = layers[kinds == "conv"]
    widths = listed([count(width) for width in convolutions["width"]])
    sides = natural({*convolutions["what"].astype(str).str.extract(r"(\d+x\d+)")[0].dropna()})
    parts = [
        f"{counted(len(convolutions), 'convolution')} ({listed(sides)}) of {widths} filters",
        _of_each("batch normalization after", (kinds == "norm").sum(), len(convolutions)),
        counted((kinds == "pool").sum(), "pooling") if (kinds == "pool").any() else "",
        counted((kinds == "fc").sum(), "fully connected layer"),
        _of_each("dropout before", (kinds == "dropout").sum(), (kinds == "fc").sum()),
    ]
    return f"The study does not have this network: {', '.join(filter(None, parts))}."


def _of_each(what: str, some: int, all_: int) -> str:
    """Layers that go with others: with each, or with so many of them."""
    return f"{what} {'each' if some == all_ else some}" if some else ""


def published_sizes(folders: Sequence[Finished]) -> str:
    """Which of the grids that a section rests on are the study's own; empty if all are."""
    found = {folder.path.name: differences(folder) for folder in folders}
    same = [name for name, differing in found.items() if differing == []]
    other = [name for name, differing in found.items() if differing]
    if not other:
        return ""
    own = f"At the published size: {listed(same)}. " if same else ""
    return (
        f"{own}Not at the published size: {listed(other)} (see there); the differences from the "
        "study's numbers there have that reason too."
    )


def seeds(folder: Finished) -> list[Any]:
    """The seeds of a grid, which may have its own."""
    own, shared = (folder.param(section, "seeds", list) for section in ("net", "train"))
    return own or shared or [0]


def extent(folder: Finished) -> str:
    """How many runs of how many epochs, what they vary and what they share."""
    axes = _axes(folder)
    runs = counted(math.prod(map(len, axes.values())), "run")
    epochs = counted(folder.param("net", "epochs", int) or 0, "epoch")
    found = f"{runs} of {epochs} on {_images(folder)}."
    for lead, several in (("Varied", True), ("The same for all", False)):
        settings = [
            f"{_heading(key)} {', '.join(map(str, values))}"
            for key, values in axes.items()
            if (len(values) > 1) is several
        ]
        found += f" {lead}: {'; '.join(settings)}." if settings else ""
    return found


def _images(folder: Finished) -> str:
    """What a grid was trained on, in words."""
    strengths = folder.param("net", "augment", dict) or {}
    words = [
        text.format(strengths[key])
        for key, text in _AUGMENT.items()
        if isinstance(strengths.get(key), int | float) and strengths[key]
    ]
    if not words:
        return "unchanged training images"
    return f"training images, each changed at random ({', '.join(words)})"


def best_run(folder: Finished, name: str = "best") -> pd.DataFrame:
    """The best run, or the ``best_study``, with the settings that the grid varies."""
    best = folder.filled(name, numbers=["test_accuracy"])
    varied = {key for key, values in _axes(folder).items() if len(values) > 1}
    return best[[name for name in best if name not in AXES or name in varied]]


def all_runs(folder: Finished) -> pd.DataFrame:
    """Every run with the settings that the grid varies."""
    runs = folder.filled("runs", numbers=["run", "test_accuracy"])
    varied = {key for key, values in _axes(folder).items() if len(values) > 1}
    return runs[[name for name in runs if name not in AXES or name in varied]]


def tables(folder: Finished) -> list[tuple[str, str, list[int]]]:
    """The tables "by X" in the study's order of X: file, caption, and the place of the best row."""
    found, order = [], ("epoch", *AXES)
    for name in folder.named("by_*.csv"):
        frame = folder.filled(name, numbers=["test_accuracy"])
        keys = [key for key in frame if key in order]
        first = order.index(keys[0]) if keys else len(AXES)
        caption = f"By {' and '.join(map(_heading, keys))}"
        best = highest(frame)[:1] if len(frame) > 1 else []
        found.append(((first, -len(keys), name), (name, caption, best)))
    return [table for _, table in sorted(found)]


def no_epoch_above(folder: Finished) -> list[str]:
    """A sentence for each accuracy of overfit_above.csv that no epoch exceeds."""
    frame = folder.table("overfit_above", numbers=["test_accuracy_above", "epochs"])
    ways = {"study_epochs": "By the study's way of testing no epoch", "epochs": "No epoch"}
    return [
        f"{words} has a test accuracy above {percent(accuracy)}."
        for epochs, words in ways.items()
        if epochs in frame
        for accuracy in frame.loc[frame[epochs] == 0, "test_accuracy_above"]
    ]


def best_of_nets(evaluate: Finished) -> pd.DataFrame:
    """The best run of every network, without the settings that all of them share."""
    numbers = ["test_accuracy", "low", "high", "total_parameters"]
    best = evaluate.filled("best", ["net"], numbers=numbers)
    shared = {name for name in AXES if name in best and best[name].nunique(dropna=False) == 1}
    return best[[name for name in best if name not in shared]]


def highest(frame: pd.DataFrame) -> list[int]:
    """The places of the rows that share the highest test accuracy."""
    accuracies = frame["test_accuracy"]
    return [place for place, high in enumerate(accuracies == accuracies.max()) if high]


def winner(best: pd.DataFrame) -> str:
    """The network with the highest accuracy, or those that share it."""
    names, value = best["net"].astype(str)[highest(best)], percent(best["test_accuracy"].max())
    are, each = ("is", "") if len(names) == 1 else ("are", "each ")
    return f"{listed(names.tolist())} {are} the best, {each}with {value}"


def gains(evaluate: Finished) -> tuple[pd.DataFrame, Headings]:
    """The points of accuracy that one test protocol has over another, by network."""
    tested = evaluate.table("protocols", ["net", "protocol"], numbers=["accuracy"])
    if tested.duplicated(["net", "protocol"]).any():
        raise evaluate.damaged("protocols.csv", "it has several rows for a network and protocol")
    by_net = tested.pivot(index="net", columns="protocol", values="accuracy")
    by_net = by_net.reindex(index=tested["net"].unique(), columns=[CLEAN, AUGMENTED, STUDY])
    found = {name: 100 * (by_net[way] - by_net[other]) for name, (way, other) in _GAINS.items()}
    return pd.DataFrame(found).reset_index(), {name: (name, Kind("{:+z.2f}")) for name in _GAINS}


def sampled(evaluate: Finished) -> pd.DataFrame:
    """The classes of which the study's sample has an image."""
    sample = evaluate.table("class_sample", ["net", "class"], gaps=["difference_points"])
    sample = sample.dropna(subset="difference_points")
    if sample.empty:
        raise evaluate.damaged("class_sample.csv", "no class has an image")
    return sample


def published_sample_error() -> float:
    """How many points the study's sample is off its confusion matrix, in the worst class."""
    sample = published.printed_class_accuracy().set_index("class")["before_percent"]
    complete = published.table("filter-ablation/class_accuracy").set_index("class")
    return float((sample - complete["before_percent"]).drop("overall").abs().max())


def _axes(folder: Finished) -> Mapping[str, Sequence[Any]]:
    """The values of each setting that the grid's runs combine, in the order of params.yaml."""
    keys = [key for key in folder.sections.get("net", {}) if key in AXES]
    values = {key: folder.param("net", key, list) or [] for key in keys}
    return values | {"seed": seeds(folder)}


def _heading(key: str) -> str:
    """What a column is called, inside a sentence."""
    return columns.known(key)[0].lower()


def _values(values: Sequence[float]) -> str:
    """The values of a setting in words."""
    return listed([Kind("{:g}", numeric=False).show(value) for value in values]) or "unknown"
