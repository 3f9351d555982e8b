import math

import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal
from scipy import stats

from convscope.analysis.ablation import atlas_tables
from convscope.analysis.ablation.atlas import Atlas
from convscope.base import metrics

CLASSES = ("bird", "car", "cat")


@pytest.fixture
def charted():
    """Six images of two classes, five of which the intact network gets right."""
    return Atlas(
        images=torch.tensor([4, 2, 0]),
        intact=torch.tensor([3, 2, 0]),
        ablated={
            "conv2": torch.tensor([[3, 1, 0], [0, 2, 0], [0, 2, 0]]),
            "conv10": torch.tensor([[4, 2, 0]]),
        },
        lost={"conv2": torch.tensor([1, 3, 4]), "conv10": torch.tensor([0])},
    )


def drops(**by_layer):
    """Filters with these drops, whole points of 100 images, of which none is gained and lost."""
    rows = [
        (layer, index, float(drop), max(drop, 0), max(-drop, 0), 1.0)
        for layer, values in by_layer.items()
        for index, drop in enumerate(values)
    ]
    names = ["layer", "filter", "drop_percent", "lost", "gained", "adjusted_p_value"]
    return pd.DataFrame(rows, columns=names)


def test_points_lost_by_filter_and_class(charted):
    expected = {
        "layer": ["conv2", "conv2", "conv2", "conv10"],
        "filter": [0, 1, 2, 0],
        "drop_percent": [100 / 6, 50.0, 50.0, -100 / 6],
        "lost": [1, 3, 4, 0],
        "gained": [0, 0, 1, 1],
        # unadjusted: 1, 1/4, 3/8 and 1; the third smallest of four is the largest, and so on
        "adjusted_p_value": [1.0, 0.75, 0.75, 1.0],
        "bird": [0.0, 75.0, 75.0, -25.0],
        "car": [50.0, 0.0, 0.0, 0.0],
        "cat": [0.0, 0.0, 0.0, 0.0],
    }
    assert_frame_equal(atlas_tables.by_filter(charted, CLASSES), pd.DataFrame(expected))


def test_layers_keep_the_network_s_order(charted):
    table = atlas_tables.by_layer(atlas_tables.by_filter(charted, CLASSES))
    expected = {
        "layer": ["conv2", "conv10"],
        "filters": [3, 1],
        "mean_drop_percent": [350 / 9, -100 / 6],
        "median_drop_percent": [50.0, -100 / 6],
        "sum_drop_percent": [350 / 3, -100 / 6],
        "max_drop_percent": [50.0, -100 / 6],
        "max_filter": [1, 0],
    }
    assert_frame_equal(table, pd.DataFrame(expected))


def test_extremes_are_ranked_from_both_ends_and_equal_drops_stay_in_order():
    filters = drops(conv1=[1, 3, -2, 3], conv2=[-2, 0])
    filters[list(CLASSES)] = 0.0
    table = atlas_tables.extremes(filters, CLASSES, 2)
    expected = {
        "extreme": ["most", "most", "least", "least"],
        "rank": [1, 2, 1, 2],
        "layer": ["conv1", "conv1", "conv1", "conv2"],
        "filter": [1, 3, 2, 0],
        "drop_percent": [3.0, 3.0, -2.0, -2.0],
        "lost": [3, 3, 0, 0],
        "gained": [0, 0, 2, 2],
        "adjusted_p_value": [1.0, 1.0, 1.0, 1.0],
        "serves": ["", "", "", ""],
    }
    assert_frame_equal(table, pd.DataFrame(expected))


def test_no_filter_is_at_both_ends():
    filters = drops(conv1=[1, 2, 3, 4, 5])
    filters[list(CLASSES)] = 0.0
    assert atlas_tables.extremes(filters, CLASSES, 10)["filter"].tolist() == [4, 3, 0, 1]


@pytest.mark.parametrize(
    ("lost", "serves"),
    [
        ((12, 6, 5.9, 8, 0), "a: 12.0, d: 8.0, b: 6.0"),
        ((6, 8, 7, 9, 5), "d: 9.0, b: 8.0, c: 7.0"),
        ((2, 2, -40, 0, 0), "a: 2.0, b: 2.0"),
        ((0, -1, -2, 0, 0), ""),
    ],
)
def test_a_filter_serves_the_classes_that_lose_at_least_half_of_the_most(lost, serves):
    filters = drops(conv1=[1, 0])
    filters[list("abcde")] = [[float(points) for points in lost], [0.0] * 5]
    assert atlas_tables.extremes(filters, "abcde", 1)["serves"].tolist() == [serves, ""]


def test_depth_correlates_layers_with_drops():
    filters = drops(conv1=[6, 5], conv2=[3, 4], conv10=[1, 2, 1])
    found = atlas_tables.depth(filters, images=100).iloc[0]
    oracle = stats.spearmanr([0, 0, 1, 1, 2, 2, 2], filters["drop_percent"])
    assert found["correlation"] == pytest.approx(oracle.statistic)
    assert found["p_value"] == pytest.approx(oracle.pvalue)
    assert found["correlation"] < -0.9
    assert found["layer_correlation"] == pytest.approx(-1)
    assert found["layer_p_value"] == pytest.approx(0)


def test_depth_leaves_out_the_last_convolution_once():
    filters = drops(conv1=[1, 2], conv2=[3, 4, 5], conv3=[-90] * 9)
    found = atlas_tables.depth(filters, images=100).iloc[0]
    oracle = stats.spearmanr([0, 0, 1, 1, 1], [1, 2, 3, 4, 5])
    assert found["but_last_correlation"] == pytest.approx(oracle.statistic)
    assert found["but_last_p_value"] == pytest.approx(oracle.pvalue)
    assert found["correlation"] < 0 < found["but_last_correlation"]


def test_depth_compares_the_filters_of_the_halves_in_pairs():
    # of 2 x 3 pairs, the first costs more in 3 and the same in 1; the middle does not count
    filters = drops(conv1=[5, 1], conv2=[100], conv3=[0, 1, 7])
    found = atlas_tables.depth(filters, images=100).iloc[0]
    assert found["first_costs_more"] == pytest.approx(3.5 / 6)
    oracle = stats.mannwhitneyu([5, 1], [0, 1, 7])
    assert found["halves_p_value"] == pytest.approx(oracle.pvalue)


def test_a_wide_layer_weighs_on_the_filters_and_not_on_the_layers():
    # conv2, cheapest, is in the middle; conv3 has most filters
    filters = drops(conv1=[2], conv2=[1], conv3=range(3, 23))
    found = atlas_tables.depth(filters, images=100).iloc[0]
    assert found["layer_correlation"] == pytest.approx(0.5)


def test_a_net_change_is_judged_by_the_images_on_both_sides_and_for_all_filters_at_once():
    lost = torch.tensor([9, 60, 8, 0, 5])
    gained = torch.tensor([0, 51, 0, 9, 0])
    charted = Atlas(
        images=torch.tensor([200]),
        intact=torch.tensor([150]),
        ablated={"conv1": 150 - (lost - gained)[:, None]},
        lost={"conv1": lost},
    )
    filters = atlas_tables.by_filter(charted, ["cat"])
    # net changes of 9, 9, 8, -9 and 5 images; those of 60 lost and 51 gained are no more than
    # chance, nor are 5 images
    assert atlas_tables.significant(filters).tolist() == [True, False, True, True, False]
    found = atlas_tables.depth(filters, images=200).iloc[0]
    assert (found["filters"], found["images"], found["significant"]) == (5, 200, 3)


def test_what_one_filter_could_show_may_be_chance_among_many():
    counts = torch.zeros(40, dtype=torch.int64)
    counts[0] = 6
    charted = Atlas(
        torch.tensor([100]), torch.tensor([50]), {"conv1": 50 - counts[:, None]}, {"conv1": counts}
    )
    assert metrics.mcnemar_p_value(6, 0) < 0.05
    assert not atlas_tables.significant(atlas_tables.by_filter(charted, ["cat"])).any()


@pytest.mark.parametrize(
    "filters", [drops(conv1=[0, 0], conv2=[0]), drops(conv1=[1, 2, 3]), drops(conv1=[1], conv2=[2])]
)
def test_constants_single_layers_and_pairs_have_no_correlation(filters):
    found = atlas_tables.depth(filters, images=100)
    assert math.isnan(found["correlation"].iloc[0])
    assert math.isnan(found["p_value"].iloc[0])
    assert atlas_tables.headlines(found) == {}


def test_filters_that_cost_the_same_cannot_be_compared():
    found = atlas_tables.depth(drops(conv1=[2, 2], conv2=[2]), images=100).iloc[0]
    assert math.isnan(found["first_costs_more"])
    assert math.isnan(found["halves_p_value"])


def test_the_headline_is_the_correlation():
    found = atlas_tables.depth(drops(conv1=[1], conv2=[2], conv3=[3]), images=100)
    assert atlas_tables.headlines(found) == {"atlas_depth_correlation": pytest.approx(1)}


def test_halves_leave_out_the_middle_of_an_odd_number():
    filters = drops(conv1=[6, 4], conv2=[4], conv3=[100], conv4=[1, 1, 1], conv5=[-1, 0])
    expected = {
        "half": ["first", "second"],
        "layers": ["conv1, conv2", "conv4, conv5"],
        "filters": [3, 5],
        "mean_drop_percent": [14 / 3, 0.4],
        "layer_drop_percent": [7.0, 1.0],
    }
    assert_frame_equal(atlas_tables.halves(filters), pd.DataFrame(expected))


def test_halves_of_an_even_number_have_all_layers():
    table = atlas_tables.halves(drops(conv1=[1], conv2=[2]))
    assert table["layers"].tolist() == ["conv1", "conv2"]
