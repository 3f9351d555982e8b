"""Numbers of classifiers: accuracies, confusion matrices, intervals and McNemar's test."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """The share of images, in [0, 1], whose largest of (N, classes) logits is the true class's."""
    return float((logits.argmax(1) == labels).double().mean())


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    """(classes, classes) counts of (N,) int64 labels, in rows, and predictions, in columns."""
    cells = torch.bincount(labels * classes + predictions, minlength=classes * classes)
    return cells.reshape(classes, classes)


def class_accuracy(confusion: Tensor) -> Tensor:
    """Each class's share of images predicted right, (classes,) float64; 0 for an absent class."""
    return confusion.diagonal().double() / confusion.sum(1).clamp(min=1)


def accuracy_interval(correct: int, images: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of the accuracy correct / images, in [0, 1]."""
    from scipy.stats import binomtest  # half a second to import, and few need it

    interval = binomtest(correct, images).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test of two classifiers on the same images.

    If both are equally good, of n images that only one of them gets right the number of the first
    is binomial (n, 1/2) (McNemar, "Note on the sampling error of the difference between correlated
    proportions", 1947). Without such images the value is 1.
    """
    from scipy.stats import binomtest  # half a second to import, and few need it

    total = only_first + only_second
    return float(binomtest(only_first, total).pvalue) if total else 1.0


def labeled(confusion: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """A confusion matrix as a table: the true class, then a column for each predicted one."""
    table = pd.DataFrame(confusion.tolist(), columns=list(classes))
    table.insert(0, "true", list(classes))
    return table
