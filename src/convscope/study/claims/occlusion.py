"""Claims 14, 38 to 40 and 44: what a gray window does to net4's confidence."""

import pandas as pd

from convscope.study.claims.means import not_falling
from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.sources import NotMeasuredError, Source, columns
from convscope.study.claims.subject import GROUPS, NET, group_of, need_net4

STAGE = "occlusion"
SURVEYED, SUMMED = f"{STAGE}/fall_with_window", f"{STAGE}/by_window_sums"
ALL, NO_WINDOW, LARGE = "all", 0, 13  # a row of the table; window sizes in pixels
DEEP, SHALLOW = 0.9, 0.1  # falls in confidence
KNOWN = 0.5  # the confidence of an image that has any to lose
ONE_SIDED = 1.645  # standard errors that chance exceeds once in twenty times


@rule(14, STAGE, grids=(NET,))
def confidence_falls(source: Source) -> Finding:
    """Occlusion: mean confidence in the true class falls as the window grows.

    occlusion/fall_with_window.csv, of net4, of the many images that are surveyed and not the few
    that are drawn: over all classes confidence is smaller at each window size than at the next
    smaller one. The study draws the maps of 15 images and prints no number.
    """
    surveyed = _surveyed(source)
    table = surveyed[(surveyed["class"] == ALL) & (surveyed["window"] > NO_WINDOW)]
    _several(table, SURVEYED)
    rows = table.sort_values("window")[["window", "confidence"]].itertuples(index=False)
    means = {f"window {window:g}": float(mean) for window, mean in rows}
    return Finding(means, not_falling(means))


@rule(38, STAGE, grids=(NET,))
def animals_lose_confidence(source: Source) -> Finding:
    """Occlusion: under a 13 x 13 window animals lose more confidence than vehicles.

    occlusion/fall_with_window.csv, of net4: confidence without a window less that at window 13, the
    mean over the surveyed images, is larger for the six animals than for the four vehicles. The
    study says that vehicles have more features that tell them, in dispersed places. Each of the
    ten classes has an image among those surveyed.
    """
    surveyed = _surveyed(source)
    of_classes = surveyed[surveyed["class"] != ALL]
    every = columns(source, "download/class_counts", ["test"], ["class"])["class"]
    groups = group_of(pd.Index(every))
    if absent := [name for name in groups if name not in {*of_classes["class"]}]:
        raise NotMeasuredError(
            f"reports/{SURVEYED}.csv has no image of the class {absent[0]}: raise "
            "occlusion.survey_images or data.test_images in params.yaml and run `dvc repro`"
        )
    group = of_classes["class"].map(groups)
    sums = of_classes.assign(group=group, sum=of_classes["confidence"] * of_classes["images"])
    sums = sums.groupby(["group", "window"])[["sum", "images"]].sum()
    if (GROUPS[0], LARGE) not in sums.index:
        raise NotMeasuredError(
            f"reports/{SURVEYED}.csv has no window {LARGE}: add it to occlusion.window_sizes in "
            "params.yaml and run `dvc repro`"
        )
    means = sums["sum"] / sums["images"]
    lost = {name: float(means[name, NO_WINDOW] - means[name, LARGE]) for name in GROUPS}
    numbers = {f"{name}, confidence lost": value for name, value in lost.items()}
    no_more = {"they do not": Margin(100 * (lost["animals"] - lost["vehicles"]))}
    return Finding(numbers, no_more)


@rule(39, STAGE, grids=(NET,))
def images_differ(source: Source) -> Finding:
    """Occlusion: one image's confidence falls by 0.9 or more, and another's by less than 0.1.

    occlusion/by_image.csv, of net4: deepest_drop under any window is 0.9 or more for one image, and
    less than 0.1 under every window for another; both of images whose clean_confidence is above
    0.5, so that there is something to lose.
    """
    need_net4(source, STAGE)
    wanted = ["image", "clean_confidence", "deepest_drop"]
    images = columns(source, f"{STAGE}/by_image", wanted).groupby("image").max()
    drops = images.loc[images["clean_confidence"] > KNOWN, "deepest_drop"]
    if len(drops) < 2:
        raise NotMeasuredError(
            f"reports/{STAGE}/by_image.csv does not have two images of a confidence above {KNOWN}: "
            "raise occlusion.images in params.yaml and run `dvc repro`"
        )
    most, least = float(drops.max()), float(drops.min())
    against = {
        f"the deepest fall is {most:.3g}": Margin(100 * (most - DEEP), ties=True),
        f"the least is {least:.3g}": Margin(100 * (SHALLOW - least)),
    }
    return Finding({"deepest fall": most, "least": least, "images": len(drops)}, against)


@rule(40, STAGE, grids=(NET,))
def deepest_near_center(source: Source) -> Finding:
    """Occlusion: confidence falls most nearer the image's center than by chance.

    occlusion/deepest_by_window.csv, of net4: at each window size mean_distance of the deepest drops
    is below chance_distance by more than 1.645 times standard_error (a one-sided test at 5 percent,
    as the claim has a direction). A window whose places are all as far from the center is left out.
    The study says that where confidence falls localizes the object, and prints no number.
    """
    need_net4(source, STAGE)
    wanted = ["window", "mean_distance", "chance_distance", "standard_error"]
    table = columns(source, f"{STAGE}/deepest_by_window", wanted)
    # of a window with few places all may be as far from the center
    table = table[table["standard_error"] > 0]
    if table.empty:
        raise NotMeasuredError(
            f"reports/{STAGE}/deepest_by_window.csv has no window whose places differ in their "
            "distance from the center: lower occlusion.survey_stride in params.yaml and run "
            "`dvc repro`"
        )
    numbers: dict[str, float] = {}
    against: Against = {}
    for window, mean, chance, error in table.itertuples(index=False):
        at = f"window {window:g}"
        numbers |= {f"{at}, pixels from the center": mean, f"{at}, by chance": chance}
        against[f"at {at} it is {mean:.3g} pixels, by chance {chance:.3g}"] = Margin(
            chance - ONE_SIDED * error - mean
        )
    return Finding(numbers, against, unit="pixels")


@rule(44, STAGE, grids=(NET,))
def sums_fall(source: Source) -> Finding:
    """Occlusion: the pixel-wise sum of the confidence map falls as the window grows.

    occlusion/by_window_sums.csv, of net4, of the images whose maps are drawn: sum_confidence is
    smaller at each window size than at the next smaller one. A map of a larger window has fewer
    pixels, so that the sum falls whatever the window covers: unchanged_sum, what it would be if the
    window took nothing, is shown. Claim 14 is free of that. The study prints no number.
    """
    need_net4(source, STAGE)
    table = columns(source, SUMMED, ["window", "sum_confidence", "unchanged_sum"])
    table = table.sort_values("window")
    _several(table, SUMMED)
    windows = [f"window {window:g}" for window in table["window"]]
    sums = dict(zip(windows, table["sum_confidence"].tolist(), strict=True))
    numbers = {f"{window}, sum": value for window, value in sums.items()}
    unchanged = zip(windows, table["unchanged_sum"].tolist(), strict=True)
    numbers |= {f"{window}, sum if it took nothing": value for window, value in unchanged}
    return Finding(numbers, not_falling(sums, scale=1), unit="of the sum")


def _surveyed(source: Source) -> pd.DataFrame:
    need_net4(source, STAGE)
    return columns(source, SURVEYED, ["window", "images", "confidence"], ["class"])


def _several(windows: pd.DataFrame, name: str) -> None:
    if len(windows) < 2:
        raise NotMeasuredError(
            f"reports/{name}.csv has only one window: change occlusion.window_sizes in "
            "params.yaml and run `dvc repro`"
        )
