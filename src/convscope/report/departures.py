"""The report's section on where this departs from the study, why, and what that changes."""

import math
from collections.abc import Sequence
from dataclasses import replace

from convscope.base import files
from convscope.report import columns, selection, sizes
from convscope.report.columns import NOTHING, POINTS
from convscope.report.document import (
    Cell,
    Column,
    Fact,
    Facts,
    Heading,
    Part,
    Row,
    Section,
    Table,
    Text,
)
from convscope.report.images import STUDY_DATA_NAME, measured_on
from convscope.report.reading import Folder, Sheet
from convscope.report.wording import counted
from convscope.study import published

# as analysis/protocols.py writes them into protocols.csv
CLEAN = "clean images, evaluation mode"
AUGMENTED = "augmented images, evaluation mode"
STUDY = "augmented images, training mode"
STUDY_NET = "net4"
_UNKNOWN = "What this changes was not measured."
_PROTOCOL_COLUMNS = (
    ("clean", "Clean instead of augmented images (points)", (CLEAN, AUGMENTED)),
    ("evaluation", "Evaluation instead of training mode (points)", (AUGMENTED, STUDY)),
    ("both", "Both (points)", (CLEAN, STUDY)),
)


def section(
    download: Folder, grids: Sequence[Folder], evaluate: Folder, identified: Folder
) -> Section:
    """The departures, each with its reason and, where the pipeline measures it, its effect.

    Args:
        download: The report folder of download.
        grids: Those of the baseline and of the trained networks.
        evaluate: That of evaluate.
        identified: That of filter-identify.

    Raises:
        UserError: One of their files is missing or damaged.
    """
    return Section(
        "departures",
        "Where this departs from the study",
        (
            *_images(download),
            *_grids(grids),
            *_precision(grids),
            *_shuffling(),
            *_testing(evaluate),
            *_choosing(evaluate),
            *_class_table(evaluate),
            *_receptive_fields(identified),
        ),
    )


def _images(download: Folder) -> list[Part]:
    """Other images than the study's; nothing where they are the same."""
    heading = Heading("The images")
    found = measured_on(download)
    if not found.studied:
        return [
            heading,
            Text(
                f"The study is about {STUDY_DATA_NAME}. The images here are other ones altogether "
                f"({found.name or 'unknown'}): its numbers stand beside the ones measured "
                "here to show how the report reads, and do not check them."
            ),
        ]
    texts = []
    if not found.official:
        texts.append(
            f"The archive (md5 {found.md5 or 'unknown'}) is not one of the two official "
            f"archives of {STUDY_DATA_NAME}, so its pixels may differ from the study's. {_UNKNOWN}"
        )
    kept = download.params.get("data", {})
    for part in ("train", "test"):
        if kept.get(f"{part}_images"):
            number = columns.count(kept[f"{part}_images"])
            texts.append(f"Only the first {number} {part} images are taken. {_UNKNOWN}")
    return [heading, *map(Text, texts)] if texts else []


def _grids(grids: Sequence[Folder]) -> list[Part]:
    """Grids with other values than the study's, and what differs."""
    found = {folder.path.name: sizes.differences(folder) for folder in grids}
    differing = [Text(f"{name}: {', '.join(what)}.") for name, what in found.items() if what]
    if not differing:
        return []
    about = (
        "Some grids have other values than the study's. Under each table stands what of the "
        "study's it lacks."
    )
    return [Heading("The grids"), Text(about), *differing]


def _precision(grids: Sequence[Folder]) -> list[Part]:
    """Training in bfloat16, of which the study says nothing."""
    if all(folder.params.get("train", {}).get("precision") != "bf16" for folder in grids):
        return []
    return [
        Heading("Half precision"),
        Text(
            "Training computes in bfloat16 where that is safe (torch's autocast), which is faster; "
            "the study names no precision, and float32 was usual then. Tests are in float32. "
            f"{_UNKNOWN}"
        ),
    ]


def _shuffling() -> list[Part]:
    return [
        Heading("Shuffled training images"),
        Text(
            "The study showed a network the training images in the same order in every epoch; "
            "here each epoch has a new order, which is usual, so that no order is learned with "
            f"the images. {_UNKNOWN}"
        ),
    ]


def _testing(evaluate: Folder) -> list[Part]:
    """Evaluation mode on clean images: what each of the two adds to the accuracy."""
    about = Text(
        "The study left its networks in training mode while it tested them (dropout on, batch "
        "normalization by each batch's own statistics), and tested those that were trained on "
        "augmented images on augmented test images. Here every network is in evaluation mode and "
        "sees the test images as they are, so that a result depends neither on chance nor on the "
        "other images of a batch. In net1 and net2, which have neither dropout nor batch "
        "normalization, the mode changes nothing."
    )
    heading, sheet = Heading("Evaluation mode, clean test images"), evaluate.sheet("protocols")
    if not sheet.rows:
        return [
            heading,
            about,
            Text("Not measured: no network here was trained on augmented images."),
        ]
    return [heading, about, _gains(sheet)]


def _gains(sheet: Sheet) -> Table:
    """The points of accuracy that a way of testing has over another, by network."""
    pairs = zip(sheet.column("net"), sheet.column("protocol"), strict=True)
    found = dict(zip(pairs, sheet.numbers("accuracy"), strict=True))
    rows = []
    for net in dict.fromkeys(sheet.column("net")):
        cells = [Cell(net, net)]
        for _, _, (way, other) in _PROTOCOL_COLUMNS:
            values = [found.get((net, name), math.nan) for name in (way, other)]
            gain = 100 * (values[0] - values[1])
            cells.append(Cell(NOTHING, "") if math.isnan(gain) else _signed(gain))
        rows.append(Row(tuple(cells)))
    return Table(
        caption="Accuracy gained by the way of testing",
        source=sheet.source,
        columns=(
            Column("Net", "net", numeric=False),
            *(Column(label, name, numeric=True) for name, label, _ in _PROTOCOL_COLUMNS),
        ),
        rows=tuple(rows),
        notes=("Differences of the accuracies in the file, in points.",),
    )


def _choosing(evaluate: Folder) -> list[Part]:
    sheet = evaluate.filled("selection")
    if selection.validated(sheet):
        about = (
            "The study chose its best runs and epochs by their accuracy on the test images. Here "
            "held-out training images choose the runs and epochs that are evaluated and analyzed, "
            "so that nothing is chosen and measured on the same images; the networks' own tables "
            "of the best run, and the claims about them, keep the study's rule. The best on the "
            "test images is above the chosen epoch by:"
        )
        name = "mean_best_less_chosen"
    else:
        about = (
            "As in the study, the best runs and epochs are chosen by their accuracy on the test "
            "images, which flatters them: this is no departure, but a thing to know. The best "
            "epoch is above the last by:"
        )
        name = "mean_best_less_last"
    facts = tuple(
        Fact(net, f"{POINTS.show(points)} points", (f"mean of {runs} runs",), selection.ID)
        for net, points, runs in zip(
            sheet.column("net"), sheet.column(name), sheet.column("runs"), strict=True
        )
        if points
    )
    return [Heading("The choice of the best epoch"), Text(about), Facts(facts)]


def _class_table(evaluate: Folder) -> list[Part]:
    """The study's sample of the test images, drawn here as well."""
    sheet = evaluate.sheet("class_sample")
    own = published.printed_class_accuracy().set_index("class")["before_percent"]
    whole = published.table("filter-ablation/class_accuracy").set_index("class")["before_percent"]
    theirs = (own - whole).drop("overall").abs().max()
    sampled = columns.count(sum(sheet.numbers("sampled_images")))
    about = (
        "The study's table of accuracies by class is of 316 test images, the first 4 of each batch "
        f"of 128; in some class it is {theirs:.1f} points off its own confusion matrix of all "
        "images. Here the tables are of all test images, of which the study's rule takes "
        f"{sampled}. "
    )
    return [
        Heading("The table by class"),
        Text(about + _spread(sheet)),
        sheet.table("Accuracy by class of the study's sample and of all images", folded=True),
    ]


def _spread(sheet: Sheet) -> str:
    """How far the sample is from all images, in words."""
    points = sheet.column("difference_points")
    rows = tuple(row for row, value in zip(sheet.rows, points, strict=True) if value)
    measured = replace(sheet, rows=rows)
    names, apart = measured.column("class"), [*map(abs, measured.numbers("difference_points"))]
    if not apart:
        raise files.damaged(sheet.path, sheet.made_by, "no class has an image")
    worst = apart.index(max(apart))
    absent = len(points) - len(apart)
    missing = f" {counted(absent, 'class has', 'classes have')} no image there." if absent else ""
    return (
        f"For {measured.column('net')[0]}, whose accuracy no other network exceeds, these give "
        f"accuracies by class that are {sum(apart) / len(apart):.1f} points off on average and up "
        f"to {apart[worst]:.1f} (class {names[worst]}).{missing}"
    )


def _receptive_fields(identified: Folder) -> list[Part]:
    """The patches' exact sizes, which the study rounded up to odd numbers."""
    about = (
        "A patch is exactly what a unit of a feature map sees. The study rounded even sizes up to "
        "the next odd one."
    )
    return [Heading("Exact receptive fields"), Text(f"{about} {_patches(identified)}")]


def _patches(identified: Folder) -> str:
    sheet = identified.filled("patch_sizes")
    here = dict(zip(sheet.column("layer"), sheet.numbers("patch_size"), strict=True))
    block = published.study()["filter_identification"]
    exact, shown = block["exact_receptive_field"], block["patch_size"]
    net = identified.params.get("analysis", {}).get("net")
    known = {layer: size for layer, size in here.items() if layer in shown}
    if net != STUDY_NET or not known or any(known[layer] != exact[layer] for layer in known):
        return f"Not measured: the study's patches are of its {STUDY_NET}, and these are not."
    larger = [
        f"{layer} sees {size:.0f} × {size:.0f} pixels, where the study shows "  # noqa: RUF001
        f"{shown[layer]} × {shown[layer]}, an area {100 * (shown[layer] ** 2 / size**2 - 1):.0f}% "  # noqa: RUF001
        "larger"
        for layer, size in known.items()
        if size != shown[layer]
    ]
    return f"{'; '.join(larger)}." if larger else "The layers shown here are of the same size."


def _signed(points: float) -> Cell:
    return Cell(f"{points:+z.2f}", repr(points))
