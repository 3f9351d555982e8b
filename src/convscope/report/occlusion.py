"""The report's section on occlusion (study, part 2.1)."""

from collections import Counter
from dataclasses import replace

from convscope.report.columns import AS_IS, PROBABILITY, SHARE, TEXT, Kind, taken
from convscope.report.document import Column, Files, Heading, Part, Row, Section, Table, Text
from convscope.report.reading import Folder, Sheet
from convscope.report.wording import counted

# by chance, a mean is farther than this many standard errors off once in twenty times
ERRORS = 1.96
ROUNDING = 1e-9  # pixels: sums of shares differ by less where they should be equal


def section(folder: Folder) -> Section:
    """Confidence under gray windows of every size."""
    settings = folder.params.get("occlusion", {})
    net = folder.params.get("analysis", {}).get("net", "the network")
    by_class = folder.filled("by_class")
    fall = folder.filled("fall_with_window")
    shown, surveyed = shown_images(folder), fall.numbers("images")
    maps = sorted(folder.named("map_*.csv"), key=lambda name: (len(name), name))
    return Section(
        "occlusion",
        "Occlusion",
        (
            Text(
                f"A gray square slides over {taken(shown, settings.get('images'))}; a map holds, "
                f"at each of its positions, the probability that {net} gives to the true class."
            ),
            folder.figure("maps", "Confidence maps: each image under a window of every size"),
            folder.sheet("by_window").table("Confidence by window size, means over the images"),
            replace(
                _pivoted(by_class, "Mean confidence by class", "mean_confidence", PROBABILITY),
                notes=(_of_a_class(folder.filled("by_image")),),
            ),
            Heading("Over many images"),
            Text(
                f"The same over {taken(int(max(surveyed)), settings.get('survey_images'))}, with "
                f"the window moved in steps of {settings.get('survey_stride')} pixels."
            ),
            folder.figure("fall_with_window", "How confidence and accuracy fall with the window"),
            _pivoted(fall, "Mean confidence, surveyed", "confidence", PROBABILITY),
            _pivoted(fall, "Mean accuracy, surveyed", "accuracy", SHARE),
            *_deepest(folder),
            Files(
                (
                    (
                        "Mean confidence and deepest drops by position",
                        folder.sheet("deepest_by_position").source,
                    ),
                    ("Every image under every window", folder.filled("by_image").source),
                    *(
                        (f"Confidence maps, window {name.removeprefix('map_')}", _csv(folder, name))
                        for name in maps
                    ),
                )
            ),
        ),
    )


def shown_images(folder: Folder) -> int:
    """How many images have confidence maps."""
    return len(set(folder.filled("by_image").column("image")))


def _of_a_class(by_image: Sheet) -> str:
    """How few images a class's mean is of."""
    pairs = set(zip(by_image.column("image"), by_image.column("class"), strict=True))
    counts = Counter(name for _, name in pairs).values()
    least, most = min(counts), max(counts)
    number = counted(most, "image") if least == most else f"{least} to {counted(most, 'image')}"
    return f"{number} a class: illustrations. Those that are surveyed below are more."


def _deepest(folder: Folder) -> list[Part]:
    """Where in the image the deepest drop lies."""
    sheet = folder.filled("deepest_by_window")
    return [
        Heading("Where the drop is deepest"),
        Text(_where(sheet)),
        folder.figure("deepest", "Mean confidence, and the deepest drops, by window position"),
        sheet.table(
            "How far from the image's center the drop is deepest",
            notes=[
                "By chance, the drop is deepest at each position of the window equally often. A "
                "position is near the center if it is at most half as far from it as the outermost "
                "position, both in rows and in columns."
            ],
        ),
    ]


def _where(sheet: Sheet) -> str:
    """With which windows the drop is deepest nearer to the center than by chance, in words."""
    columns = ("mean_distance", "chance_distance", "standard_error")
    rows = zip(sheet.column("window"), *map(sheet.numbers, columns), strict=True)
    sides = ("nearer to", "farther from", "neither measurably nearer to nor farther from")
    found: dict[str, list[str]] = {side: [] for side in sides}
    for window, mean, chance, error in rows:
        side = sides[2]
        if abs(mean - chance) > ERRORS * error + ROUNDING:
            side = sides[0] if mean < chance else sides[1]
        found[side].append(
            f"{_window(window)} ({mean:.1f} pixels, standard error {error:.1f}; by chance "
            f"{chance:.1f})"
        )
    return " ".join(
        f"Under windows of {', '.join(windows)} the deepest drop lies {side} the image's center "
        "than by chance."
        for side, windows in found.items()
        if windows
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
