"""Accuracies, confusion matrices, and the study's tables over a history.csv."""

from collections.abc import Sequence

import pandas as pd
import torch

from convscope.axes import AXES

POINT = (*AXES, "seed")
MEASURED = ("loss", "train_accuracy", "test_accuracy", "overfit_percent")


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of images whose largest logit is the true class's, in [0, 1].

    Args:
        logits: (N, classes).
        labels: (N,) int64.
    """
    return float((logits.argmax(1) == labels).double().mean())


def confusion_matrix(labels: torch.Tensor, predictions: torch.Tensor, classes: int) -> torch.Tensor:
    """How often each class is taken for each other.

    Args:
        labels: (N,) int64, true classes.
        predictions: (N,) int64, predicted classes.
        classes: How many classes there are.

    Returns:
        (classes, classes) int64; rows are true classes, columns predicted ones.
    """
    cells = torch.bincount(labels * classes + predictions, minlength=classes * classes)
    return cells.reshape(classes, classes)


def class_accuracy(confusion: torch.Tensor) -> torch.Tensor:
    """Each class's share of images predicted right, (classes,) float64; 0 for an absent class."""
    return confusion.diagonal().double() / confusion.sum(1).clamp(min=1)


def mean_by(history: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The study's table "by keys": means over all epochs of all runs that share the keys.

    Args:
        history: A history.csv.
        keys: Column names, for example ``["l1_oc", "filter_multiplier"]``.

    Returns:
        One row for each combination, in ascending order: the keys, then the means of loss,
        train_accuracy, test_accuracy, overfit_percent and total_parameters. Where the history
        holds several seeds, a column ``<measure>_std`` for each of the first four gives the
        standard deviation of the seeds' own means.
    """
    keys = list(keys)
    measured = list(MEASURED)
    table = history.groupby(keys)[[*measured, "total_parameters"]].mean()
    if history["seed"].nunique() > 1:
        by_seed = history.groupby([*keys, "seed"])[measured].mean()
        spread = by_seed.groupby(level=list(range(len(keys)))).std()
        table = table.join(spread.add_suffix("_std"))
    return table.reset_index()


def best_row(history: pd.DataFrame, by: str = "test_accuracy") -> pd.DataFrame:
    """The single (run, epoch) with the highest accuracy, as one row; of equals the earliest."""
    return history.loc[[history[by].idxmax()]]


def accuracy_interval(correct: int, images: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of an accuracy, in [0, 1].

    Args:
        correct: How many images were predicted right.
        images: Of how many.
    """
    from scipy.stats import binomtest  # half a second to import, and few need it

    interval = binomtest(correct, images).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
