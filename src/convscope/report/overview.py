"""The report's first and last section: what was found, and how to make it again."""

from collections.abc import Sequence
from typing import Any

from convscope.base import files
from convscope.report import columns
from convscope.report.document import Cell, Code, Column, Fact, Facts, Row, Section, Table, Text
from convscope.report.identification import dead
from convscope.report.images import measured_on
from convscope.report.occlusion import shown_images
from convscope.report.reading import Folder, Sheet
from convscope.report.training import all_highest, highest
from convscope.report.wording import counted, filter_names, listed

_CHOSEN = {
    "test": "Each run's best epoch was chosen by its accuracy on the test images, as in the study: "
    "these accuracies are a little optimistic; the section on selection holds them against those "
    "of the runs' last epochs, which no image chose.",
    "validation": "Each run's best epoch was chosen by its accuracy on training images that were "
    "held out.",
}


def summary(
    download: Folder,
    nets: Sequence[Folder],
    evaluate: Folder,
    occlusion: Folder,
    ablation: Folder,
    identification: Folder,
) -> Section:
    """The headline numbers."""
    counts, best = download.filled("class_counts"), evaluate.filled("best")
    accuracies = [_net(best, index) for index in range(len(best.rows))]
    select_on = nets[0].params.get("train", {}).get("select_on", "")
    return Section(
        "summary",
        "Summary",
        (
            Text(
                f"The study's networks, trained and analyzed on {measured_on(download).called}: "
                f"{columns.count(sum(counts.numbers('train')))} training and "
                f"{columns.count(sum(counts.numbers('test')))} test images of "
                f"{counted(len(counts.rows), 'class', 'classes')}. {_winner(best)} of the test "
                "images right."
            ),
            Facts(tuple(accuracies)),
            Facts((_occlusion(occlusion), _ablation(ablation), _identification(identification))),
            *([Text(_CHOSEN[select_on])] if select_on in _CHOSEN else []),
        ),
    )


def _winner(best: Sheet) -> str:
    """The network with the highest accuracy, or those that share it."""
    rows = all_highest(best)
    names = listed([best.column("net")[row] for row in rows])
    value = columns.percent(best.numbers("test_accuracy")[rows[0]])
    if len(rows) == 1:
        return f"{names} is the best, with {value}"
    return f"{names} are the best, each with {value}"


def _net(best: Sheet, index: int) -> Fact:
    """A network's accuracy, how sure it is, and how large the network."""
    net = best.column("net")[index]
    low, high = (columns.percent(best.numbers(name)[index]) for name in ("low", "high"))
    size = columns.count(best.numbers("total_parameters")[index])
    return Fact(
        net,
        columns.percent(best.numbers("test_accuracy")[index]),
        (f"95% interval {low} to {high}", f"{size} parameters"),
        f"train-{net}",
    )


def _occlusion(folder: Folder) -> Fact:
    images = shown_images(folder)
    sheet = folder.filled("by_window")
    last = highest(sheet, "window")
    window = sheet.column("window")[last]
    clean = sheet.numbers("clean_confidence")[last]
    return Fact(
        f"Confidence under a {window} × {window} window",  # noqa: RUF001
        f"{sheet.numbers('mean_confidence')[last]:.3f}",
        (f"{clean:.3f} without a window", f"means of {counted(images, 'image')}"),
        "occlusion",
    )


def _ablation(folder: Folder) -> Fact:
    found = folder.json("metrics")
    try:
        after, before = (float(found[f"accuracy_{when}"]) for when in ("after", "before"))
    except (KeyError, TypeError, ValueError):
        raise files.damaged(
            folder.path / "metrics.json", folder.stage, "it lacks the accuracies"
        ) from None
    chosen = filter_names(folder.params.get("filter_ablation", {}).get("filters", {}))
    return Fact(
        f"Accuracy with {counted(len(chosen), 'filter')} zeroed",
        columns.percent(after),
        (f"{columns.percent(before)} before",),
        "filter-ablation",
    )


def _identification(folder: Folder) -> Fact:
    sheet = folder.filled("responses")
    names = dead(sheet)
    return Fact(
        "Dead filters",
        f"{len(names)} of {len(sheet.rows)}",
        (", ".join(names) or "each responds to some test image",),
        "filter-identification",
    )


def reproduction(download: Folder, folders: Sequence[Folder]) -> Section:
    """Where the data came from, and the parameters of each stage."""
    return Section(
        "reproduce",
        "How to reproduce this",
        (
            Text(
                "With the parameters below in params.yaml, and the archive where data.archives "
                "says, the pipeline makes this page again; on the same kind of machine, with the "
                "same versions, to the byte."
            ),
            Code(("dvc repro",)),
            _listing("The data set", download.link("dataset.json"), download.json("dataset")),
            *(
                _listing(f"Parameters of {each.stage}", each.link("params.json"), each.params, True)
                for each in folders
            ),
        ),
    )


def _listing(caption: str, source: str, values: dict[str, Any], folded: bool = False) -> Table:
    """A JSON document as a table, nested keys joined by dots; empty values are left out."""
    return Table(
        caption=caption,
        source=source,
        columns=(Column("Key", "key", numeric=False), Column("Value", "value", numeric=False)),
        rows=tuple(
            Row((Cell(key, key), Cell(value, value)))
            for key, value in _flat(values).items()
            if value
        ),
        folded=folded,
    )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = _plain(value)
    return flat


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if value is None or isinstance(value, bool):
        return {None: "all", True: "yes", False: "no"}[value]
    return str(value)
