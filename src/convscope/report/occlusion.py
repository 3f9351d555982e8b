"""The report's section on occlusion (study, part 2.1)."""

from convscope.report.columns import AS_IS, PROBABILITY, SHARE, TEXT, Kind
from convscope.report.document import Column, Files, Heading, Row, Section, Table, Text
from convscope.report.reading import Folder, Sheet


def section(folder: Folder) -> Section:
    """Confidence under gray windows of every size."""
    settings = folder.params.get("occlusion", {})
    net = folder.params.get("analysis", {}).get("net", "the network")
    by_class = folder.sheet("by_class")
    fall = folder.sheet("fall_with_window")
    maps = sorted(folder.named("map_*.csv"), key=lambda name: (len(name), name))
    return Section(
        "occlusion",
        "Occlusion",
        (
            Text(
                f"A gray square slides over {settings.get('images')} test images; a map holds, at "
                f"each of its positions, the probability that {net} gives to the true class."
            ),
            folder.figure("maps", "Confidence maps: each image under a window of every size"),
            folder.sheet("by_window").table("Confidence by window size, means over the images"),
            _pivoted(by_class, "Mean confidence by class", "mean_confidence", PROBABILITY),
            Heading("Over many images"),
            Text(
                f"The same over {settings.get('survey_images')} test images, with the window "
                f"moved in steps of {settings.get('survey_stride')} pixels."
            ),
            folder.figure("fall_with_window", "How confidence and accuracy fall with the window"),
            _pivoted(fall, "Mean confidence, surveyed", "confidence", PROBABILITY),
            _pivoted(fall, "Mean accuracy, surveyed", "accuracy", SHARE),
            Files(
                (
                    ("Every image under every window", folder.sheet("by_image").source),
                    *(
                        (f"Confidence maps, window {name.removeprefix('map_')}", _csv(folder, name))
                        for name in maps
                    ),
                )
            ),
        ),
    )


def _csv(folder: Folder, name: str) -> str:
    return folder.link(f"{name}.csv")


def _pivoted(sheet: Sheet, caption: str, name: str, kind: Kind) -> Table:
    """One measure of a long table: a row a class, a column a window size."""
    places = list(zip(sheet.column("class"), sheet.column("window"), strict=True))
    values = dict(zip(places, sheet.column(name), strict=True))
    classes = dict.fromkeys(place for place, _ in places)
    windows = dict.fromkeys(window for _, window in places)
    return Table(
        caption=caption,
        source=sheet.source,
        columns=(
            Column("Class", "class", numeric=False),
            *(Column(_window(window), f"{name}, window {window}", True) for window in windows),
        ),
        rows=tuple(
            Row(
                (
                    sheet.cell(each, TEXT),
                    *(sheet.cell(values.get((each, window), ""), kind) for window in windows),
                )
            )
            for each in classes
        ),
    )


def _window(size: str) -> str:
    return "No window" if size == "0" else f"{AS_IS.show(size)} × {size}"  # noqa: RUF001
