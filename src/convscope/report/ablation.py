"""The report's section on filter ablation (study, part 2.2.2)."""

from convscope.report import columns
from convscope.report.columns import COUNT, POINTS
from convscope.report.document import Files, Heading, Part, Section, Table, Text
from convscope.report.reading import Folder, Sheet
from convscope.report.wording import counted, filter_names

SHOWN = 10
_MATRICES = {
    "before": "Confusion matrix before",
    "after": "Confusion matrix after",
    "difference": "Confusion matrices, before less after",
}


def section(folder: Folder) -> Section:
    """What is lost when filters are zeroed, together and each alone."""
    chosen = filter_names(folder.params.get("filter_ablation", {}).get("filters", {}))
    net = folder.params.get("analysis", {}).get("net", "the network")
    return Section(
        "filter-ablation",
        "Filter ablation",
        (
            Text(
                f"The weights of {counted(len(chosen), 'filter')} of {net} are set to zero "
                f"together: {', '.join(chosen)}. Their biases stay."
            ),
            *_by_class(folder),
            Heading("Confusion matrices"),
            folder.figure("confusion", "Confusion matrices before, after, and before less after"),
            *(_matrix(folder, name) for name in _MATRICES),
            *_between_groups(folder),
            Heading("Newly misclassified images"),
            *_newly_misclassified(folder),
            Heading("Atlas: every filter alone"),
            *_atlas(folder),
        ),
    )


def _by_class(folder: Folder) -> list[Part]:
    sheet = folder.sheet("class_accuracy")
    return [
        # the stage writes the accuracy over all classes last
        sheet.table("Accuracy by class, before and after", marked={len(sheet.rows) - 1: "total"}),
        folder.figure("class_accuracy", "Accuracy by class, before and after"),
    ]


def _matrix(folder: Folder, name: str) -> Table:
    sheet = folder.sheet(f"confusion_{name}")
    return sheet.table(_MATRICES[name], open_columns=(slice(1, None), COUNT), folded=True)


def _between_groups(folder: Folder) -> list[Part]:
    """The errors within and between groups of classes, where the data has groups."""
    sheet = folder.sheet("between_groups")
    if not sheet.rows:
        return []
    return [sheet.table("Errors within and between groups of classes")]


def _newly_misclassified(folder: Folder) -> list[Part]:
    lost = folder.sheet("newly_misclassified")
    if not lost.rows:
        return [Text("No test image went from right to wrong.")]
    return [
        Text(f"{counted(len(lost.rows), 'test image')} went from right to wrong."),
        folder.figure("newly_misclassified", "Images right before and wrong after"),
        Files((("All of them", lost.source),)),
    ]


def _atlas(folder: Folder) -> list[Part]:
    sheet, intact = folder.sheet("atlas"), folder.sheet("confusion_before")
    images = folder.params.get("filter_ablation", {}).get("atlas_images")
    everything = sum(sum(intact.numbers(name)) for name in intact.header[1:])
    over = f"the first {columns.count(images)}" if images and images < everything else "all"
    return [
        Text(
            f"Each of the {counted(len(sheet.rows), 'filter')} is zeroed alone, and the accuracy "
            f"over {over} test images is compared with that of the intact network."
        ),
        folder.figure("atlas", "Accuracy lost with each filter alone, by layer"),
        folder.sheet("atlas_by_layer").table("Accuracy lost with a single filter, by layer"),
        _costliest(sheet),
    ]


def _costliest(sheet: Sheet) -> Table:
    drops = sheet.numbers("drop_percent")
    order = sorted(range(len(drops)), key=lambda index: -drops[index])[:SHOWN]
    return sheet.table(
        "The filters that cost most alone",
        # after layer, filter and the drop over all images comes a column for each class
        open_columns=(slice(3, None), POINTS),
        rows=order,
        notes=["Points of accuracy lost, over all images and by class; the file has every filter."],
    )
