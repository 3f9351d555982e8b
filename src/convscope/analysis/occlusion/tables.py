"""Confidence maps and surveys as tables."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import pandas as pd
from torch import Tensor

from convscope.analysis.occlusion.sensitivity import Survey

ALL = "all"


def by_image(
    shown: Tensor, names: Sequence[str], clean: Tensor, maps: Mapping[int, Tensor]
) -> pd.DataFrame:
    """How each image fares under each window size.

    Args:
        shown: (N,) the images' indices in the test set.
        names: Their N true classes.
        clean: (N,) confidences without a window.
        maps: Window size to confidence maps (N, P, P).

    Returns:
        A row for each image and window: image, class, window in pixels, clean_confidence,
        mean_confidence and min_confidence over the window's positions, deepest_drop (clean minus
        minimum; negative where the window raises the confidence at every position), and the drop's
        place, drop_row and drop_column of the window's center in pixels: half pixels if the window
        is even; of equal drops, the first by rows.
    """
    tables = []
    for window, confidence in maps.items():
        flat = confidence.flatten(1)
        lowest, place = flat.amin(1), flat.argmin(1)
        half, across = (window - 1) / 2, confidence.shape[2]
        tables.append(
            pd.DataFrame(
                {
                    "image": shown.tolist(),
                    "class": list(names),
                    "window": window,
                    "clean_confidence": clean.tolist(),
                    "mean_confidence": flat.mean(1).tolist(),
                    "min_confidence": lowest.tolist(),
                    "deepest_drop": (clean - lowest).tolist(),
                    "drop_row": (place // across + half).tolist(),
                    "drop_column": (place % across + half).tolist(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def means(images: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """The means of ``by_image`` over the images and windows that share the keys, a row each.

    Of all images they are comparable between windows, which ``sums`` are not.
    """
    columns = ["clean_confidence", "mean_confidence", "min_confidence", "deepest_drop"]
    return images.groupby(list(keys), sort=False)[columns].mean().reset_index()


def sums(images: pd.DataFrame, size: int) -> pd.DataFrame:
    """Confidence summed over a map's pixels, which the study calls overall confidence.

    The sum falls with the window whatever it covers, since a map of a larger window has fewer
    pixels: ``unchanged_sum`` says how far. ``images`` is as ``by_image`` has it, of images of so
    many pixels a side.

    Returns:
        A row a window: window, in pixels; positions, the pixels of a map; sum_confidence, the sum
        over a map, mean over the images; unchanged_sum, the same if the window took nothing.
    """
    by_window = means(images, "window")
    positions = (size - by_window["window"] + 1) ** 2
    return pd.DataFrame(
        {
            "window": by_window["window"],
            "positions": positions,
            "sum_confidence": positions * by_window["mean_confidence"],
            "unchanged_sum": positions * by_window["clean_confidence"],
        }
    )


def headlines(images: pd.DataFrame) -> dict[str, float]:
    """The few numbers that MLflow compares: mean confidence without, and by window size."""
    by_window = means(images, "window").set_index("window")["mean_confidence"]
    first = images[images["window"] == images["window"].iloc[0]]
    return {
        "clean_confidence": float(first["clean_confidence"].mean()),
        **{f"confidence_{window}": float(value) for window, value in by_window.items()},
    }


def long_map(shown: Tensor, maps: Tensor) -> pd.DataFrame:
    """Confidence maps (N, P, P) as rows: image, row and column of the window's corner, confidence.

    Confidences are rounded to six digits.
    """
    _, height, width = maps.shape
    places = _combined(image=shown.tolist(), row=range(height), column=range(width))
    return places.assign(confidence=maps.double().flatten().numpy().round(6))


def _combined(**axes: Iterable[float]) -> pd.DataFrame:
    """A row for each combination of the axes' values, the last axis changing fastest."""
    return pd.DataFrame(product(*axes.values()), columns=list(axes))


def fall(surveyed: Sequence[Survey], labels: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """How confidence and accuracy fall as the window grows, by class.

    Returns:
        A row for each class and window, and for all classes together: class, window in pixels
        (0: no window), images, confidence and accuracy, means in [0, 1].
    """
    labels = labels.cpu()
    members = {ALL: labels >= 0, **{name: labels == c for c, name in enumerate(classes)}}
    return pd.DataFrame(
        {
            "class": name,
            "window": entry.window,
            "images": int(mask.sum()),
            "confidence": float(entry.confidence[mask].mean()),
            "accuracy": float(entry.accuracy[mask].mean()),
        }
        for name, mask in members.items()
        if mask.any()
        for entry in surveyed
    )


def deepest_by_position(surveyed: Sequence[Survey]) -> pd.DataFrame:
    """Where windows do harm, over many images.

    Returns:
        A row for each window and position: window, the row and column of its center in pixels,
        mean_confidence over the images, and deepest_share, the share of images whose drop is
        deepest there, in [0, 1].
    """
    tables = []
    for entry in [each for each in surveyed if each.window]:
        centers = entry.centers.tolist()
        places = _combined(window=[entry.window], row=centers, column=centers)
        places["mean_confidence"] = entry.by_position.flatten().tolist()
        places["deepest_share"] = entry.deepest.flatten().tolist()
        tables.append(places)
    return pd.concat(tables, ignore_index=True)


def deepest_by_window(positions: pd.DataFrame, images: int, size: int) -> pd.DataFrame:
    """How far from the image's center the drop is deepest, compared with chance.

    Chance is each position equally often. The central positions are those at most half as far from
    the center, by rows and by columns, as the outermost. The positions are those of
    ``deepest_by_position``, over so many images of so many pixels a side.

    Returns:
        A row a window: window, images, mean_distance of the deepest drops from the image's center
        in pixels, chance_distance, standard_error of a mean distance by chance, central_share of
        the deepest drops, and chance_share, in [0, 1].
    """
    rows = []
    for window, places in positions.groupby("window", sort=False):
        offsets = places[["row", "column"]] - (size - 1) / 2
        distance, farther = (offsets**2).sum(axis=1) ** 0.5, offsets.abs().max(axis=1)
        central = farther <= farther.max() / 2
        share = places["deepest_share"]
        rows.append(
            {
                "window": window,
                "images": images,
                "mean_distance": (share * distance).sum(),
                "chance_distance": distance.mean(),
                "standard_error": distance.std(ddof=0) / images**0.5,
                "central_share": share[central].sum(),
                "chance_share": central.mean(),
            }
        )
    return pd.DataFrame(rows)
