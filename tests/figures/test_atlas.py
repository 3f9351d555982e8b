import numpy as np
import pytest
from tests.figures.labels import legend, texts, words
from tests.toys import drops

from convscope.figures import atlas


def draw(table, images=1800):
    return atlas.atlas(table, [True] * len(table), images)


def ticks(axes):
    """The numbers at the marks inside the panel, by what is written there."""
    low, high = axes.get_ylim()
    labels = words(axes.get_yticklabels())
    places = zip(labels, axes.get_yticks(), strict=True)
    return {label: place for label, place in places if low <= place <= high}


def test_the_filters_are_spread_and_the_worst_of_each_layer_is_named_with_its_drop():
    waves = np.sin(np.arange(512)) / 10
    figure = draw(drops(conv1=[0.5, -0.2, 3.0, 0.1], conv2=waves))
    (axes,) = figure.axes
    zero, _, few, first_median, _, many, _ = axes.lines
    few, many = (np.column_stack(dots.get_data()) for dots in (few, many))
    assert few[:, 1].tolist() == [0.5, -0.2, 3.0, 0.1]
    assert np.abs(few[:, 0]).max() < 0.321
    assert np.abs(many[:, 0] - 1).max() < 0.321
    # 512 filters are spread evenly: no two closer than a third of the mean distance
    assert np.diff(np.sort(many[:, 0])).min() > 0.64 / 512 / 3
    worst = int(waves.argmax())
    assert words(axes.texts) == ["filter 2: 3.00", f"filter {worst}: 0.10"]
    assert list(zero.get_ydata()) == [0, 0]
    assert list(first_median.get_ydata()) == pytest.approx([0.3, 0.3])
    assert words(axes.get_xticklabels()) == ["conv1\n4 filters", "conv2\n512 filters"]
    assert legend(figure) == ["more than chance explains", "may be chance", "median of the layer"]


def test_the_filters_of_later_rows_are_named_by_their_own_index_and_gains_have_a_true_minus():
    table = drops(conv1=[0.5, 0.25], conv2=[-0.5, -0.25]).iloc[::-1]
    assert texts(draw(table)) == ["filter 1: \N{MINUS SIGN}0.25", "filter 0: 0.50"]


def test_what_may_be_chance_is_hollow():
    table = drops(conv1=[0.1, -0.3, 0.6], conv2=[9.0])
    (axes,) = atlas.atlas(table, [False, True, False, True], 2000).axes
    found = {True: [], False: []}
    for dots in [line for line in axes.lines if line.get_marker() == "o"]:
        found[dots.get_markerfacecolor() == "none"] += dots.get_ydata().tolist()
    assert found == {True: [0.1, 0.6], False: [-0.3, 9.0]}


def test_the_scale_is_linear_near_zero_and_logarithmic_beyond_with_plain_numbers():
    (axes,) = draw(drops(conv1=[-1.2, 0.1, 43.0]), images=2000).axes
    numbers = [-2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50]
    written = [f"{number:g}".replace("-", "\N{MINUS SIGN}") for number in numbers]
    assert ticks(axes) == dict(zip(written, numbers, strict=True))
    scaled = axes.get_yaxis().get_transform().transform
    near, far = scaled(np.array([0, 0.5, 1])), scaled(np.array([1, 10, 100]))
    assert np.diff(near).tolist() == pytest.approx([np.diff(near)[0]] * 2)
    assert np.diff(far).tolist() == pytest.approx([np.diff(far)[0]] * 2)
    assert axes.get_ylabel().endswith("(points; logarithmic beyond \u00b11)")
    low, high = axes.get_ylim()
    assert low < -1.2
    assert high > 43


ENDS = {10_000: 0.2, 6_000: 0.5, 2_000: 1, 1_800: 1, 1_000: 2, 360: 5, 300: 10, 50: 50}


@pytest.mark.parametrize(("images", "end"), ENDS.items())
def test_the_linear_part_ends_at_a_round_number_of_eighteen_images_or_more(images, end):
    (axes,) = draw(drops(conv1=[0.0, 99.0]), images).axes
    assert axes.get_ylabel().endswith(f"beyond \u00b1{end:g})")
    assert ticks(axes)[f"{end:g}"] == pytest.approx(end)


def test_small_drops_leave_the_scale_linear():
    (axes,) = draw(drops(conv1=[-0.2, 0.9]), images=2000).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_ylabel() == "drop in test accuracy (points)"
