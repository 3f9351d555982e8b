import pytest

from convscope.base import metrics


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [
        (0, 0, 1.0),
        (1, 1, 1.0),
        (5, 0, 2 / 2**5),
        (0, 6, 2 / 2**6),
        (4, 1, 2 * (5 + 1) / 2**5),
    ],
)
def test_p_values_by_hand(first, second, p_value):
    assert metrics.mcnemar_p_value(first, second) == pytest.approx(p_value)
    assert metrics.mcnemar_p_value(second, first) == pytest.approx(p_value)
