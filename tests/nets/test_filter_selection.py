import pytest

from convscope.nets import filter_selection, zoo

NET2 = zoo.build("net2", l1_oc=2, filter_multiplier=1.0)


@pytest.mark.parametrize("filters", [{}, {"conv1": []}, {"conv1": [0, 1], "conv4": [1]}])
def test_filters_that_are_there_are_taken(filters):
    filter_selection.check(NET2, filters)


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"conv5": [0]}, "the network has no 'conv5': choose from conv1, conv2, conv3, conv4"),
        ({"fc1": [0]}, "the network has no 'fc1': choose from conv1, conv2, conv3, conv4"),
        ({"conv2": [0], "conv1": [1, 2]}, "conv1 has no filter 2: choose from 0 to 1"),
        ({"conv1": [-1]}, "conv1 has no filter -1: choose from 0 to 1"),
    ],
)
def test_what_the_network_does_not_have_is_refused_with_what_it_has(filters, named):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole message is compared
        filter_selection.check(NET2, filters)
    assert str(refused.value) == named


WIDTHS = {"conv1": 3, "conv2": 1, "conv3": 6}


@pytest.mark.parametrize(
    ("choice", "convolutions", "found"),
    [
        (1, None, {"conv1": [0], "conv2": [0], "conv3": [0]}),
        (2, None, {"conv1": [0, 1], "conv2": [0], "conv3": [0, 1]}),
        (2, 1, {"conv1": [0, 1]}),
        (1, 9, {"conv1": [0], "conv2": [0], "conv3": [0]}),
        # it applies to a number alone
        ({"conv3": (5, 0)}, 1, {"conv3": [5, 0]}),
    ],
)
def test_a_number_is_the_first_filters_of_the_first_convolutions(choice, convolutions, found):
    assert filter_selection.resolve(choice, convolutions, WIDTHS) == found


def test_the_studys_choice_is_the_default_for_net4():
    chosen = filter_selection.resolve(2, 5, zoo.widths("net4"))
    assert chosen == {f"conv{n}": [0, 1] for n in range(1, 6)}
