"""Numbers of classifiers: accuracies, confusion matrices, intervals and McNemar's test."""

import math
from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

# standard deviations within which 95 % of a normal distribution lie, on either side
NORMAL_95 = 1.959963984540054


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
    """The 95 % confidence interval of the accuracy correct / images, in [0, 1].

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927; as by
    scipy.stats, which takes a second to import.
    """
    share, square = correct / images, NORMAL_95**2 / images
    middle = share + square / 2
    reach = math.sqrt(square * (share * (1 - share) + square / 4))
    low, high = (middle - reach) / (1 + square), (middle + reach) / (1 + square)
    # rounded, the interval of a perfect network could end below its accuracy
    return max(min(low, share), 0.0), min(max(high, share), 1.0)


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test of two classifiers on the same images.

    If both are equally good, of n images that only one of them gets right the number of the first
    is binomial (n, 1/2) (McNemar, "Note on the sampling error of the difference between correlated
    proportions", 1947). Without such images the value is 1.
    """
    from scipy.special import bdtr  # a tenth of a second to import, and few stages need it

    total = only_first + only_second
    one_sided = float(bdtr(min(only_first, only_second), total, 0.5))
    return min(2 * one_sided, 1.0)


def paired_difference_interval(
    only_first: int, only_second: int, images: int
) -> tuple[float, float]:
    """The 95 % confidence interval of how much more accurate the first of two classifiers is.

    The numbers are of the images that only one of them gets right, of all images that both were
    tested on; the interval is in [-1, 1]. Bonett and Price, "Adjusted Wald confidence interval for
    a difference of binomial proportions based on paired data", 2012.
    """
    first, second = ((count + 1) / (images + 2) for count in (only_first, only_second))
    middle = first - second
    reach = NORMAL_95 * math.sqrt((first + second - middle**2) / (images + 2))
    return max(middle - reach, -1.0), min(middle + reach, 1.0)


def labeled(confusion: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """A confusion matrix as a table: the true class, then a column for each predicted one."""
    table = pd.DataFrame(confusion.tolist(), columns=list(classes))
    table.insert(0, "true", list(classes))
    return table
