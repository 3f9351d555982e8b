from itertools import product
from math import comb

import pytest
import torch

from convscope.base import metrics


def test_confusion_matrix_by_hand():
    matrix = metrics.confusion_matrix(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 2, 1, 1]), 3)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    assert metrics.class_accuracy(matrix).tolist() == [0.5, 1.0, 0.0]


def test_accuracy_by_hand():
    logits = torch.tensor([[0.0, 2.0], [3.0, 1.0], [0.0, 1.0], [5.0, 4.0]])
    assert metrics.accuracy(logits, torch.tensor([1, 0, 0, 0])) == 0.75


def test_accuracy_interval_is_wilsons():
    # 8 of 10: Wilson (1927), z = 1.96
    assert metrics.accuracy_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_mcnemar_s_p_values_are_sums_of_binomial_terms():
    for first, second in product(range(12), repeat=2):
        n, uneven = first + second, abs(first - second)
        terms = [comb(n, k) for k in range(n + 1) if abs(k - (n - k)) >= uneven]
        assert metrics.mcnemar_p_value(first, second) == pytest.approx(sum(terms) / 2**n)
