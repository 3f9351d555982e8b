import pytest

from convscope.study.claims import shown


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("net4, parameters", 4403518, "4,403,518"),
        ("kernel 3", 0.58495, "0.5849"),
        ("conv5, mean response", 7.758, "7.76"),
        ("epoch 5, overfit (points)", 0.177556, "0.18"),
        ("drop, points", -0.5, "-0.50"),
        ("net4's parameters, percent of net3's", 64.572, "64.57"),
    ],
)
def test_numbers_are_shown_by_what_they_are(name, value, text):
    assert shown(name, value) == text
