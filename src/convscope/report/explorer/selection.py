"""Which test images the page has, and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from torch import Tensor

from convscope.base.report_folder import Finished
from convscope.data import datasets
from convscope.report.explorer.findings import Analyses

MAPPED = "has occlusion maps"
TOP = "top image of a filter"
NEWLY_WRONG = "wrong without the selected filters"
SURE = "right and sure"
WRONG = "wrong and sure"
DRAWN = "drawn by chance"
# of each class, how many that are sure, and of each that are newly wrong
EACH = 4


def choose(count: int, logits: Tensor, labels: Tensor, analyses: Analyses) -> dict[int, list[str]]:
    """Choose test images, by class and by what the analyses found.

    Args:
        count: How many; all if there are fewer.
        logits: (N, C), the intact network's, of all test images.
        labels: (N,) int64, their true classes.
        analyses: Of the network.

    Returns:
        The reasons by image, its index in the test set: first those with occlusion maps, then the
        top images of filters, those that are wrong with the selected filters at zero, those on
        which the network is right or wrong and sure, and others by chance.

    Raises:
        UserError: A folder lacks a table, or one names an image that there is not.
    """
    confidence, predicted = logits.float().softmax(1).max(1)
    right = (predicted == labels).tolist()
    by_confidence = confidence.sort(descending=True, stable=True).indices.tolist()
    sure = [image for image in by_confidence if right[image]]
    wrong = [image for image in by_confidence if not right[image]]
    shown = analyses.identified.param("filter_identify", "shown", int) or 1
    reasons: Mapping[str, Iterable[int]] = {
        MAPPED: _images(analyses.occluded, "by_image", labels),
        TOP: _images(analyses.identified, "top_images", labels, shown),
        NEWLY_WRONG: _of_each_class(
            _images(analyses.ablated, "newly_misclassified", labels), labels
        ),
        SURE: _of_each_class(sure, labels),
        WRONG: _of_each_class(wrong, labels),
        DRAWN: _spread(datasets.drawn_by_class(labels, len(labels), seed=0).tolist(), labels),
    }
    found: dict[int, list[str]] = {}
    for why, images in reasons.items():
        for image in images:
            if image not in found and len(found) >= min(count, len(labels)):
                continue
            if why != DRAWN or image not in found:
                known = found.setdefault(int(image), [])
                known += [why] * (why not in known)
    return found


def _images(folder: Finished, name: str, labels: Tensor, ranks: int | None = None) -> list[int]:
    """The images that a table names, each once; only those of the first ranks, if asked."""
    table = folder.table(name, numbers=["image"] if ranks is None else ["image", "rank"])
    unknown = ~table["image"].isin(range(len(labels)))
    if unknown.any():
        first = table.loc[unknown, "image"].iloc[0]
        raise folder.damaged(f"{name}.csv", f"it names image {first:g}, of {len(labels)}")
    found = table if ranks is None else table[table["rank"] <= ranks]
    return list(dict.fromkeys(found["image"].astype(int).tolist()))


def _of_each_class(images: Sequence[int], labels: Tensor) -> list[int]:
    """The first few images of each class, class by class in turn."""
    return list(_spread(images, labels, EACH))


def _spread(images: Iterable[int], labels: Tensor, most: int | None = None) -> Iterator[int]:
    """The images in an order in which the classes take turns; at most so many of each."""
    by_class: dict[int, list[int]] = {}
    for image in images:
        by_class.setdefault(int(labels[image]), []).append(image)
    turns = zip_longest(*(by_class[label][:most] for label in sorted(by_class)))
    return (image for image in chain.from_iterable(turns) if image is not None)
