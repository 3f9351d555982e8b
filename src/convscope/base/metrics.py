"""Accuracies, confusion matrices, and the study's tables over a history.csv."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor


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


def accuracy_interval(correct: int, images: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of an accuracy, in [0, 1].

    Args:
        correct: How many images were predicted right.
        images: Of how many.
    """
    from scipy.stats import binomtest  # half a second to import, and few need it

    interval = binomtest(correct, images).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """McNemar's exact test of two classifiers on the same images: the two-sided p-value, in [0, 1].

    If both are equally good, an image that only one of them gets right is as likely the one's as
    the other's: of n such images, the number of the first is binomial (n, 1/2) (McNemar, "Note on
    the sampling error of the difference between correlated proportions", 1947).

    Args:
        only_first: How many images the first alone gets right.
        only_second: How many the second alone gets right.

    Returns:
        1 where no image tells them apart.
    """
    from scipy.stats import binomtest  # half a second to import, and few need it

    total = only_first + only_second
    return float(binomtest(only_first, total).pvalue) if total else 1.0


def labeled(confusion: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """A confusion matrix as a table: the true class, then a column for each predicted one."""
    table = pd.DataFrame(confusion.tolist(), columns=list(classes))
    table.insert(0, "true", list(classes))
    return table
