from itertools import product
from math import comb

import pytest

from convscope.base import metrics


def test_mcnemar_s_p_values_are_sums_of_binomial_terms():
    for first, second in product(range(12), repeat=2):
        n, uneven = first + second, abs(first - second)
        terms = [comb(n, k) for k in range(n + 1) if abs(k - (n - k)) >= uneven]
        assert metrics.mcnemar_p_value(first, second) == pytest.approx(sum(terms) / 2**n)


@pytest.mark.parametrize(("first", "second"), [(0.1, 0.1), (0.15, 0.02), (0.3, 0.05), (0.5, 0.5)])
def test_the_interval_of_a_difference_covers_it_95_times_in_100(first, second):
    images, covered = 60, 0.0
    for one, other in product(range(images + 1), repeat=2):
        same = images - one - other
        if same < 0:
            continue
        low, high = metrics.paired_difference_interval(one, other, images)
        if low <= first - second <= high:
            ways = comb(images, one) * comb(images - one, other)
            covered += ways * first**one * second**other * (1 - first - second) ** same
    # it errs on the safe side where few images tell the two apart
    assert 0.94 < covered < 0.985


def test_the_interval_of_a_difference_by_hand_and_the_other_way_round():
    # (0 + 1) / (10 + 2) either way: 1.96 standard deviations, each the root of (2 / 12) / 12
    found = metrics.paired_difference_interval(0, 0, 10)
    assert found == pytest.approx((-0.230984, 0.230984), abs=1e-6)
    low, high = metrics.paired_difference_interval(1, 7, 21)
    assert (low, high) == pytest.approx((-0.50836, -0.01338), abs=1e-5)
    assert metrics.paired_difference_interval(7, 1, 21) == (-high, -low)
    assert metrics.paired_difference_interval(1, 0, 1)[1] == 1


def test_the_interval_of_a_difference_is_narrower_with_more_images():
    intervals = [metrics.paired_difference_interval(3 * n, n, 100 * n) for n in (1, 10, 100)]
    widths = [high - low for low, high in intervals]
    assert widths[0] > 2.5 * widths[1] > 6.25 * widths[2]


def test_the_interval_of_an_accuracy_holds_it_whatever_rounds():
    for images in range(1, 501):
        for correct in {0, 1, images // 3, images - 1, images}:
            low, high = metrics.accuracy_interval(correct, images)
            assert 0 <= low <= correct / images <= high <= 1
    assert metrics.accuracy_interval(360, 360)[1] == 1
