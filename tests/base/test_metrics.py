from itertools import product
from math import comb

import pytest

from convscope.base import metrics


def test_mcnemar_s_p_values_are_sums_of_binomial_terms():
    for first, second in product(range(12), repeat=2):
        n, uneven = first + second, abs(first - second)
        terms = [comb(n, k) for k in range(n + 1) if abs(k - (n - k)) >= uneven]
        assert metrics.mcnemar_p_value(first, second) == pytest.approx(sum(terms) / 2**n)
