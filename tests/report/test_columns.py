import pytest

from convscope.report import columns, text


@pytest.mark.parametrize(
    ("name", "heading", "value", "shown"),
    [
        ("test_accuracy", "Test accuracy", 0.48958, "48.96%"),
        ("test_accuracy_std", "± test accuracy", 0.0123, "1.23%"),
        ("before_percent", "Before", 86.94, "86.94%"),
        ("loss", "Loss", 2.112819, "2.1128"),
        ("overfit_percent", "Overfit (points)", 24.452, "24.45"),
        ("drop_points", "Drop (points)", -0.001, "0.00"),
        ("total_parameters", "Parameters", 4870654, "4,870,654"),
        ("total_parameters", "Parameters", 654346.0, "654,346"),
        ("lr", "Learning rate", 0.001, "0.001"),
        ("mean_confidence", "Mean confidence", 0.12345, "0.123"),
        ("mean", "Mean response", -13.1319, "-13.13"),
        ("dead", "Dead", True, "yes"),
        ("dead", "Dead", False, "no"),
        ("image", "Image", 9876, "9876"),
        ("loss_std", "± loss", float("nan"), "–"),  # noqa: RUF001
        ("max_class", "Commonest class", None, "–"),  # noqa: RUF001
        ("something else", "something else", 12345, "12345"),
        ("p_value", "p-value", 0.0009999, "< 0.001"),
        ("p_value", "p-value", 0.001, "0.001"),
        ("test_accuracy_published", "Test accuracy, published", 0.28516, "28.52%"),
        # differences have a sign, and shares differ by points
        ("test_accuracy_difference", "Test accuracy, difference (points)", 0.28516, "+28.52"),
        ("train_accuracy_difference", "Train accuracy, difference (points)", -0.0533, "-5.33"),
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


@pytest.mark.parametrize(
    ("found", "wanted", "words"),
    [
        (1500, 1500, "1,500 test images"),
        (1, 1, "1 test image"),
        (360, None, "360 test images"),
        (360, 2000, "360 test images (all there are of the 2,000 asked for)"),
    ],
)
def test_images_taken_are_those_that_were_there(found, wanted, words):
    assert text.taken(found, wanted) == words
