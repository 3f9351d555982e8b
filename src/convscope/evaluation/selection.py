"""How much of a best accuracy is luck: best, last and selected epochs, paired tests of networks.

The study reports the highest test accuracy of all epochs of all runs (published/study.yaml): the
test images both selected it and measured it.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from convscope.base import metrics
from convscope.evaluation import history_tables

NEEDED = ("run", "epoch", "test_accuracy")


def by_net(histories: Mapping[str, pd.DataFrame], images: int) -> pd.DataFrame:
    """The best epoch of each network compared with epochs that the test images did not select.

    The accuracies in the networks' history.csv are of so many test images.

    Returns:
        A row a network. Accuracies are in [0, 1], each with the ends of its 95 % interval
        (low, high), and differences in points:

        * net, runs, and choices, the (run, epoch) pairs that there are to select from;
        * run, epoch, test_accuracy, low, high: the pair with the highest test accuracy;
        * last_accuracy, last_low, last_high: the same run's last epoch;
        * best_less_last: the difference; mean_best_less_last: the mean over all runs of each
          one's best less its last.

        Where a history has validation_accuracy:

        * chosen_run, chosen_epoch, chosen_accuracy, chosen_low, chosen_high: the test accuracy of
          the pair with the highest validation accuracy;
        * best_less_chosen: how far it stays below the best; mean_best_less_chosen: the mean over
          all runs of each one's best less its epoch that validation selects.
    """
    return pd.DataFrame([_row(net, history, images) for net, history in histories.items()])


def _row(net: str, history: pd.DataFrame, images: int) -> dict[str, Any]:
    runs = history.groupby("run")
    best = history_tables.best_row(history).iloc[0]
    tops = runs["test_accuracy"].max()
    lasts = _accuracies(history, runs["epoch"].idxmax())
    last = lasts.loc[best["run"]]
    row = {
        "net": net,
        "runs": len(tops),
        "choices": len(history),
        "run": int(best["run"]),
        "epoch": int(best["epoch"]),
        "test_accuracy": best["test_accuracy"],
        **_interval(best["test_accuracy"], images),
        "last_accuracy": last,
        **_interval(last, images, "last_"),
        "best_less_last": 100 * (best["test_accuracy"] - last),
        "mean_best_less_last": 100 * (tops - lasts).mean(),
    }
    if "validation_accuracy" not in history:
        return row
    chosen = history_tables.best_row(history, "validation_accuracy").iloc[0]
    choices = _accuracies(history, runs["validation_accuracy"].idxmax())
    return row | {
        "chosen_run": int(chosen["run"]),
        "chosen_epoch": int(chosen["epoch"]),
        "chosen_accuracy": chosen["test_accuracy"],
        **_interval(chosen["test_accuracy"], images, "chosen_"),
        "best_less_chosen": 100 * (best["test_accuracy"] - chosen["test_accuracy"]),
        "mean_best_less_chosen": 100 * (tops - choices).mean(),
    }


def _accuracies(history: pd.DataFrame, rows: "pd.Series[int]") -> "pd.Series[float]":
    """The test accuracy of one row of each run, by run."""
    return history.loc[rows].set_index("run")["test_accuracy"]


def _interval(accuracy: float, images: int, prefix: str = "") -> dict[str, float]:
    low, high = metrics.accuracy_interval(round(accuracy * images), images)
    return {f"{prefix}low": low, f"{prefix}high": high}


def mcnemar(predictions: pd.DataFrame) -> pd.DataFrame:
    """McNemar's exact test of each pair of networks, from the table of ``predictions.by_image``.

    Returns:
        A row a pair: net, other, only_first and only_second (the images that only net, or only
        other, gets right), difference_points (net's accuracy less other's, in points) and the
        two-sided p_value in [0, 1], which is 1 where no image tells them apart.
    """
    predicted = predictions.drop(columns=["image", "label"])
    right = predicted.eq(predictions["label"], axis=0)
    rows = []
    for net, other in combinations(right.columns, 2):
        first = int((right[net] & ~right[other]).sum())
        second = int((right[other] & ~right[net]).sum())
        points = 100 * (first - second) / len(right)
        rows.append((net, other, first, second, points, metrics.mcnemar_p_value(first, second)))
    names = ["net", "other", "only_first", "only_second", "difference_points", "p_value"]
    return pd.DataFrame(rows, columns=names)
