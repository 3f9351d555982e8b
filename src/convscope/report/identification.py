"""The report's section on what filters respond to (study, part 2.2.1)."""

from convscope.report.columns import COUNT, taken
from convscope.report.document import Files, Heading, Part, Section, Text
from convscope.report.reading import Folder, Sheet
from convscope.report.wording import counted

_PIXELS = (
    "A response is a sum over a map's pixels, of which later layers have fewer: compare layers per "
    "pixel."
)


def section(folder: Folder) -> Section:
    """The images and patches to which the chosen filters respond most."""
    settings = folder.params.get("filter_identify", {})
    net = folder.params.get("analysis", {}).get("net", "the network")
    frequency, responses = folder.filled("class_frequency"), folder.filled("responses")
    # every filter has as many
    top = round(sum(frequency.numbers(name)[0] for name in frequency.header[1:-1]))
    return Section(
        "filter-identification",
        "Filter identification",
        (
            Text(
                f"A filter's response to an image is the sum of its feature map after batch "
                f"normalization and before ReLU. For {counted(len(responses.rows), 'filter')} of "
                f"{net}, these are the {taken(top, settings.get('top_k'))} with the largest "
                "responses."
            ),
            folder.figure("first_layer", "The filters of the first convolution as pictures"),
            Heading("Classes among the top images"),
            frequency.table(
                f"How many of the top {top} are of each class", open_columns=(slice(1, -1), COUNT)
            ),
            folder.figure("class_frequency", f"How many of the top {top} are of each class"),
            Heading("Responses"),
            *_responses(folder, responses),
            Heading("Patches"),
            Text(
                "A patch is the receptive field of the largest value of a filter's map, cut off at "
                "the image's border."
            ),
            folder.sheet("patch_sizes").table("Patch size by layer"),
            folder.figure("top_images", "The top images of each filter, with their patches"),
            Files((("Every top image and its patch", folder.sheet("top_images").source),)),
        ),
    )


def _responses(folder: Folder, sheet: Sheet) -> list[Part]:
    return [
        Text(dead_in_words(sheet)),
        sheet.table("Mean and largest response of the top images", notes=[_PIXELS]),
        folder.figure("responses", "Mean and largest response of the top images"),
    ]


def dead(sheet: Sheet) -> list[str]:
    """The filters of responses.csv that no test image makes positive anywhere."""
    pairs = zip(sheet.column("filter"), sheet.column("dead"), strict=True)
    return [name for name, is_dead in pairs if is_dead == "True"]


def dead_in_words(sheet: Sheet) -> str:
    """Which filters are dead, as a sentence."""
    names = dead(sheet)
    if not names:
        return "No filter is dead: each has a test image that makes its map positive somewhere."
    verb = "is" if len(names) == 1 else "are"
    return (
        f"Dead {verb} {', '.join(names)}: no test image makes the map positive anywhere, so that "
        "ReLU leaves nothing of it (the dying ReLU problem)."
    )
