"""What the report says of occlusion: of how many images, and where the drop is deepest."""

import pandas as pd

from convscope.base.report_folder import Finished
from convscope.report import columns
from convscope.report.columns import Headings
from convscope.report.text import counted

# by chance, a mean is farther than this many standard errors off once in twenty times
ERRORS = 1.96
ROUNDING = 1e-9  # pixels: sums of shares differ by less where they should be equal


def shown_images(folder: Finished) -> int:
    """How many images have confidence maps."""
    return int(folder.filled("by_image", ["image"])["image"].nunique())


def surveyed_images(folder: Finished) -> int:
    """How many images were surveyed."""
    return int(folder.filled("fall_with_window", numbers=["images"])["images"].max())


def of_a_class(folder: Finished) -> str:
    """How few images a class's mean is of."""
    pairs = folder.filled("by_image", ["image", "class"])[["image", "class"]].drop_duplicates()
    counts = pairs["class"].value_counts()
    least, most = counts.min(), counts.max()
    number = counted(most, "image") if least == most else f"{least} to {counted(most, 'image')}"
    return f"{number} a class: illustrations. Those that are surveyed below are more."


def where_deepest(folder: Finished) -> str:
    """With which windows the drop is deepest nearer to the center than by chance, in words."""
    numbers = ["window", "mean_distance", "chance_distance", "standard_error"]
    rows = folder.filled("deepest_by_window", numbers=numbers)[numbers]
    sides = ("nearer to", "farther from", "neither measurably nearer to nor farther from")
    found: dict[str, list[str]] = {side: [] for side in sides}
    for size, mean, chance, error in rows.itertuples(index=False):
        side = sides[2]
        if abs(mean - chance) > ERRORS * error + ROUNDING:
            side = sides[0] if mean < chance else sides[1]
        found[side].append(
            f"{window(size)} ({mean:.1f} pixels, standard error {error:.1f}; by chance "
            f"{chance:.1f})"
        )
    return " ".join(
        f"Under windows of {', '.join(windows)} the deepest drop lies {side} the image's center "
        "than by chance."
        for side, windows in found.items()
        if windows
    )


def by_window(folder: Finished, name: str, measure: str) -> tuple[pd.DataFrame, Headings]:
    """One measure of a long table: a row a class, a column a window size, and its headings."""
    frame = folder.filled(name, ["class"], numbers=["window"], gaps=[measure])
    kind = columns.known(measure)[1]
    if frame.duplicated(["class", "window"]).any():
        raise folder.damaged(f"{name}.csv", "it has several rows for a class and window")
    classes, windows = frame["class"].unique(), frame["window"].unique()
    wide = frame.pivot(index="class", columns="window", values=measure)
    wide = wide.loc[classes, windows].rename(columns=window).reset_index()
    return wide, columns.of_classes(wide, kind)


def window(size: float) -> str:
    """A window's size: ``"3 × 3"``."""  # noqa: RUF002
    return f"{size:.0f} × {size:.0f}" if size else "No window"  # noqa: RUF001


def maps(folder: Finished) -> dict[str, str]:
    """The files with confidence maps, the smaller windows first, and what each holds."""
    names = sorted(folder.named("map_*.csv"), key=lambda name: (len(name), name))
    return {name: f"Confidence maps, window {name.removeprefix('map_')}" for name in names}
