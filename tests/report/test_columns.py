import pytest

from convscope.report import columns


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("test_accuracy", "0.48958", "48.96%"),
        ("test_accuracy_std", "0.0123", "1.23%"),
        ("before_percent", "86.94", "86.94%"),
        ("loss", "2.112819", "2.1128"),
        ("overfit_percent", "24.452", "24.45"),
        ("drop_points", "-0.001", "0.00"),
        ("total_parameters", "4870654", "4,870,654"),
        ("total_parameters", "654346.0", "654,346"),
        ("lr", "0.001", "0.001"),
        ("mean_confidence", "0.12345", "0.123"),
        ("mean", "-13.1319", "-13.13"),
        ("dead", "True", "yes"),
        ("dead", "False", "no"),
        ("image", "9876", "9876"),
        ("loss_std", "", "–"),  # noqa: RUF001
        ("something else", "12345", "12345"),
    ],
)
def test_values_are_shown_as_their_column_means(name, value, shown):
    _, kind = columns.known(name)
    assert kind.show(value) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("test_accuracy", "0.28516", "+28.52"),
        ("train_accuracy", "-0.0533", "-5.33"),
        ("before_percent", "-3.19", "-3.19"),
        ("drop_points", "56.5249", "+56.52"),
        ("before", "-1278.0", "-1,278"),
        ("mean", "1817.004", "+1,817.00"),
        ("max", "-0.001", "+0.00"),
    ],
)
def test_differences_have_a_sign_and_shares_differ_by_points(name, value, shown):
    _, kind = columns.difference(name)
    assert kind.show(value) == shown


def test_headings_of_differences_name_points_where_the_measure_is_a_share():
    assert columns.difference("test_accuracy")[0] == "difference (points)"
    assert columns.difference("before_percent")[0] == "difference (points)"
    assert columns.difference("before")[0] == "difference"


def test_headings_name_the_measure_and_its_spread():
    assert columns.known("test_accuracy")[0] == "Test accuracy"
    assert columns.known("test_accuracy_std")[0] == "± test accuracy"
    assert columns.known("cat")[0] == "cat"


def test_a_word_is_no_number():
    with pytest.raises(ValueError, match="cat"):
        columns.LOSS.show("cat")


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
    assert columns.taken(found, wanted) == words


@pytest.mark.parametrize(
    ("value", "shown"), [("0.0009999", "< 0.001"), ("0.001", "0.001"), ("0.04", "0.040")]
)
def test_tiny_p_values_are_only_told_to_be_tiny(value, shown):
    assert columns.P_VALUE.show(value) == shown
