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
