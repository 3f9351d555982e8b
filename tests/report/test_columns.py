import pytest

from convscope.report import columns, text


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("test_accuracy", 0.48958, "48.96%"),
        ("test_accuracy_std", 0.0123, "1.23%"),
        ("before_percent", 86.94, "86.94%"),
        ("loss", 2.112819, "2.1128"),
        ("overfit_percent", 24.452, "24.45"),
        ("drop_points", -0.001, "0.00"),
        ("total_parameters", 4870654, "4,870,654"),
        ("total_parameters", 654346.0, "654,346"),
        ("lr", 0.001, "0.001"),
        ("mean_confidence", 0.12345, "0.123"),
        ("mean", -13.1319, "-13.13"),
        ("dead", True, "yes"),
        ("dead", False, "no"),
        ("image", 9876, "9876"),
        ("loss_std", float("nan"), "–"),  # noqa: RUF001
        ("max_class", None, "–"),  # noqa: RUF001
        ("something else", 12345, "12345"),
        ("p_value", 0.0009999, "< 0.001"),
        ("p_value", 0.001, "0.001"),
        ("p_value", 0.04, "0.040"),
        ("test_accuracy_published", 0.28516, "28.52%"),
        # differences have a sign, and shares differ by points
        ("test_accuracy_difference", 0.28516, "+28.52"),
        ("train_accuracy_difference", -0.0533, "-5.33"),
        ("before_percent_difference", -3.19, "-3.19"),
        ("drop_points_difference", 56.5249, "+56.52"),
        ("before_difference", -1278.0, "-1,278"),
        ("mean_difference", 1817.004, "+1,817.00"),
        ("max_difference", -0.001, "+0.00"),
    ],
)
def test_values_are_shown_as_their_column_means(name, value, shown):
    _, kind = columns.known(name)
    assert kind.show(value) == shown


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("test_accuracy", "Test accuracy"),
        ("test_accuracy_std", "± test accuracy"),
        ("test_accuracy_published", "Test accuracy, published"),
        ("test_accuracy_difference", "Test accuracy, difference (points)"),
        ("before_percent_difference", "Before, difference (points)"),
        ("before_difference", "Before, difference"),
        ("cat", "cat"),
    ],
)
def test_headings_name_the_measure_and_what_it_is_next_to(name, heading):
    assert columns.known(name)[0] == heading


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
