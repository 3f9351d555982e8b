import pytest

from convscope.report.document import columns


@pytest.mark.parametrize(
    ("name", "heading", "value", "shown"),
    [
        ("test_accuracy_std", "± test accuracy", 0.0123, "1.23%"),
        ("drop_points", "Drop (points)", -0.001, "0.00"),
        ("lr", "Learning rate", 0.001, "0.001"),
        ("mean_confidence", "Mean confidence", 0.12345, "0.123"),
        ("mean", "Mean response", -13.1319, "-13.13"),
        ("dead", "Dead", True, "yes"),
        ("dead", "Dead", False, "no"),
        ("image", "Image", 9876, "9876"),
        ("loss_std", "± loss", float("nan"), "–"),  # noqa: RUF001
        ("max_class", "Commonest class", None, "–"),  # noqa: RUF001
        ("something else", "something else", 12345, "12345"),
        ("p_value", "p-value", 0.001, "0.001"),
        # differences have a sign, and shares differ by points
        ("before_percent_difference", "Before, difference (points)", -3.19, "-3.19"),
        ("drop_points_difference", "Drop (points), difference", 56.5249, "+56.52"),
        ("before_difference", "Before, difference", -1278.0, "-1,278"),
        ("mean_difference", "Mean response, difference", 1817.004, "+1,817.00"),
        ("max_difference", "Largest response, difference", -0.001, "+0.00"),
    ],
)
def test_columns_have_headings_and_values_are_shown_as_they_mean(name, heading, value, shown):
    found, kind = columns.known(name)
    assert (found, kind.show(value)) == (heading, shown)
