"""Claims 14, 38 to 40 and 44: files that agree with them, do not, and lack what they need."""

from tests.study.claims.folders import NET4, fails, holds

ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
VEHICLES = ("plane", "car", "ship", "truck")
CLASSES = (*ANIMALS, *VEHICLES)


def surveyed(means="3,0.9\n5,0.8\n13,0.25", **under_13):
    """Means of all classes; and of each class 0.9 without a window, and 0.4 under one of 13."""
    rows = [f"all,100,{row}" for row in means.splitlines()]
    for name in CLASSES:
        rows += [f"{name},10,0,0.9", f"{name},10,13,{under_13.get(name, 0.4)}"]
    return "\n".join(["class,images,window,confidence", "all,100,0,0.95", *rows])


def survey(*means, **under_13):
    table = surveyed(*means, **under_13)
    return {"occlusion/params": NET4, "occlusion/fall_with_window": table, **counts(*CLASSES)}


def counts(*classes):
    return {"download/class_counts": "\n".join(["class,test", *(f"{c},10" for c in classes)])}


def drops(*rows):
    lines = ["image,clean_confidence,deepest_drop", *rows]
    return {"occlusion/params": NET4, "occlusion/by_image": "\n".join(lines)}


def deepest(*rows):
    lines = ["window,mean_distance,chance_distance,standard_error", *rows]
    return {"occlusion/params": NET4, "occlusion/deepest_by_window": "\n".join(lines)}


def sums(*rows):
    lines = ["window,sum_confidence,unchanged_sum", *rows]
    return {"occlusion/params": NET4, "occlusion/by_window_sums": "\n".join(lines)}


JUDGED = [
    # of the images that are surveyed, whatever those show that are drawn
    holds(
        14,
        {
            **survey("13,0.2\n3,0.9\n5,0.8"),
            "occlusion/by_window": "window,mean_confidence\n3,0.5\n5,0.6\n13,0.7",
        },
    ),
    fails(14, survey("3,0.9\n5,0.95\n13,0.2"), "goes from 0.9 (window 3) to 0.95 (window 5)"),
    holds(38, survey(cat=0.3)),
    fails(38, survey(), "they do not"),
    fails(38, survey(ship=0.1), "they do not"),
    holds(39, drops("1,0.99,0.2", "1,0.99,0.9", "2,0.9,0.05")),
    fails(39, drops("1,0.99,0.85", "2,0.9,0.05"), "the deepest fall is 0.85"),
    fails(39, drops("1,0.99,0.9", "2,0.9,0.05", "2,0.9,0.1"), "the least is 0.1"),
    # an image that the network does not know has nothing to lose
    fails(39, drops("1,0.99,0.9", "2,0.9,0.9", "3,0.4,0.05"), "the least is 0.9"),
    holds(40, deepest("3,8,12,0.7", "13,6,7.5,0.5")),
    fails(
        40,
        deepest("3,8,12,0.7", "13,6.8,7.5,0.5"),
        "at window 13 it is 6.8 pixels, by chance 7.5",
    ),
    # all places of a map of 2 x 2 are as far from the center
    holds(40, deepest("3,8,12,0.7", "31,0.7,0.7,0")),
    # though of larger maps a smaller part is lost
    holds(44, sums("13,350,400", "3,450,900")),
    fails(44, sums("3,450,900", "5,450,784"), "goes from 450 (window 3) to 450 (window 5)"),
]

UNMEASURED = [
    (14, survey("3,0.9"), "change occlusion.window_sizes"),
    (
        38,
        {
            "occlusion/params": NET4,
            "occlusion/fall_with_window": "class,images,window,confidence\nall,9,0,1\n0,9,0,1",
            **counts(0, 1),
        },
        "the data set has no animals and vehicles",
    ),
    (
        38,
        {
            "occlusion/params": NET4,
            "occlusion/fall_with_window": "class,images,window,confidence\nall,9,0,1\ncat,9,0,1",
            **counts(*CLASSES),
        },
        "no image of the class bird: raise occlusion.survey_images",
    ),
    (39, drops("1,0.4,0.3", "2,0.9,0.3"), "does not have two images of a confidence above 0.5"),
    (40, deepest("31,0.7,0.7,0"), "lower occlusion.survey_stride"),
    (44, sums("3,450,900"), "by_window_sums.csv has only one window: change occlusion.window"),
]

NUMBERS = [
    (38, survey(cat=0.3), {"animals, confidence lost": 0.516667, "vehicles, confidence lost": 0.5}),
    (
        44,
        sums("13,350,400", "3,450,900"),
        {
            "window 3, sum": 450.0,
            "window 13, sum": 350.0,
            "window 3, sum if it took nothing": 900.0,
            "window 13, sum if it took nothing": 400.0,
        },
    ),
]
