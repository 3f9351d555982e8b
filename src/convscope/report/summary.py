"""The report's headline numbers."""

from convscope.base.report_folder import Finished
from convscope.report import identification, occlusion, text
from convscope.report.markdown import Fact
from convscope.report.text import counted, listed, percent
from convscope.report.training import highest


def extent(download: Finished) -> str:
    """How many images of how many classes the data set has."""
    counts = download.filled("class_counts", numbers=["train", "test"])
    classes = counted(len(counts), "class", "classes")
    train, test = (text.count(counts[part].sum()) for part in ("train", "test"))
    return f"{train} training and {test} test images of {classes}"


def winner(evaluate: Finished) -> str:
    """The network with the highest accuracy, or those that share it."""
    best = evaluate.filled("best", ["net"], numbers=["test_accuracy"])
    rows = highest(best)
    names = listed([str(best["net"][row]) for row in rows])
    value = percent(best["test_accuracy"].max())
    if len(rows) == 1:
        return f"{names} is the best, with {value}"
    return f"{names} are the best, each with {value}"


def accuracies(evaluate: Finished) -> list[Fact]:
    """Each network's accuracy, how sure it is, and how large the network."""
    numbers = ["test_accuracy", "low", "high", "total_parameters"]
    best = evaluate.filled("best", ["net"], numbers=numbers)
    return [
        Fact(
            str(net),
            percent(accuracy),
            (f"95% interval {percent(low)} to {percent(high)}", f"{text.count(size)} parameters"),
            f"train-{net}",
        )
        for net, accuracy, low, high, size in best[["net", *numbers]].itertuples(index=False)
    ]


def analyses(occluded: Finished, ablated: Finished, identified: Finished) -> list[Fact]:
    """The one number of each analysis that says most."""
    return [_occlusion(occluded), _ablation(ablated), _identification(identified)]


def _occlusion(folder: Finished) -> Fact:
    images = counted(occlusion.shown_images(folder), "image")
    numbers = ["window", "mean_confidence", "clean_confidence"]
    frame = folder.filled("by_window", numbers=numbers)
    last = frame.loc[frame["window"].idxmax()]
    return Fact(
        f"Confidence under a {occlusion.window(last['window'])} window",
        f"{last['mean_confidence']:.3f}",
        (f"{last['clean_confidence']:.3f} without a window", f"means of {images}"),
        "occlusion",
    )


def _ablation(folder: Finished) -> Fact:
    found = folder.json("metrics")
    try:
        after, before = (float(found[f"accuracy_{when}"]) for when in ("after", "before"))
    except (KeyError, TypeError, ValueError):
        raise folder.damaged("metrics.json", "it lacks the accuracies") from None
    filters = counted(len(text.zeroed_filters(folder)), "filter")
    return Fact(
        f"Accuracy with {filters} zeroed",
        percent(after),
        (f"{percent(before)} before",),
        "filter-ablation",
    )


def _identification(folder: Finished) -> Fact:
    names = identification.dead(folder)
    filters = len(folder.filled("responses"))
    return Fact(
        "Dead filters",
        f"{len(names)} of {filters}",
        (", ".join(names) or "each responds to some test image",),
        "filter-identification",
    )
