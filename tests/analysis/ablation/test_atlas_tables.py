import pytest
import scipy
import torch

from convscope.analysis.ablation import atlas_tables
from convscope.analysis.ablation.atlas import Atlas
from convscope.base import metrics
from tests.toys import assert_table, drops

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


def depth(**by_layer):
    return atlas_tables.depth(drops(**by_layer), images=100).iloc[0]


def one_layer(images, intact, lost, gained):
    """An atlas of one class and one convolution."""
    ablated = intact - (lost - gained)[:, None]
    return Atlas(
        torch.tensor([images]), torch.tensor([intact]), {"conv1": ablated}, {"conv1": lost}
    )


def test_points_lost_by_filter_and_class(charted):
    # unadjusted p-values: 1, 1/4, 3/8 and 1; the third smallest of four is the largest, and so on
    expected = """
        layer   filter  drop_percent  lost  gained  adjusted_p_value   bird   car  cat
        conv2        0   16.66666667     1       0              1.00    0.0  50.0  0.0
        conv2        1   50.0            3       0              0.75   75.0   0.0  0.0
        conv2        2   50.0            4       1              0.75   75.0   0.0  0.0
        conv10       0  -16.66666667     0       1              1.00  -25.0   0.0  0.0
    """
    assert_table(atlas_tables.by_filter(charted, CLASSES), expected)


def test_layers_keep_the_network_s_order(charted):
    table = atlas_tables.by_layer(atlas_tables.by_filter(charted, CLASSES))
    names = ["filters", *(f"{of}_drop_percent" for of in ("mean", "median", "sum", "max"))]
    assert list(table) == ["layer", *names, "max_filter"]
    first, second = (list(row) for row in table.itertuples(index=False))
    assert first == ["conv2", 3, *map(pytest.approx, (350 / 9, 50, 350 / 3, 50)), 1]
    assert second == ["conv10", 1, *[pytest.approx(-100 / 6)] * 4, 0]


def test_extremes_are_ranked_from_both_ends_and_equal_drops_stay_in_order():
    filters = drops(conv1=[1, 3, -2, 3], conv2=[-2, 0]).assign(**dict.fromkeys(CLASSES, 0.0))
    table = atlas_tables.extremes(filters, CLASSES, 2)
    expected = """
        extreme  rank  layer  filter  drop_percent  lost  gained  adjusted_p_value
        most        1  conv1       1           3.0     3       0               1.0
        most        2  conv1       3           3.0     3       0               1.0
        least       1  conv1       2          -2.0     0       2               1.0
        least       2  conv2       0          -2.0     0       2               1.0
    """
    assert table.pop("serves").tolist() == [""] * 4
    assert_table(table, expected)


def test_no_filter_is_at_both_ends():
    filters = drops(conv1=[1, 2, 3, 4, 5]).assign(**dict.fromkeys(CLASSES, 0.0))
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
    found = depth(conv1=[6, 5], conv2=[3, 4], conv10=[1, 2, 1])
    oracle = scipy.stats.spearmanr([0, 0, 1, 1, 2, 2, 2], [6, 5, 3, 4, 1, 2, 1])
    assert found[["correlation", "p_value"]].tolist() == pytest.approx(list(oracle))
    assert found["correlation"] < -0.9
    assert found[["layer_correlation", "layer_p_value"]].tolist() == pytest.approx([-1, 0])


def test_depth_leaves_out_the_last_convolution_once():
    found = depth(conv1=[1, 2], conv2=[3, 4, 5], conv3=[-90] * 9)
    oracle = scipy.stats.spearmanr([0, 0, 1, 1, 1], [1, 2, 3, 4, 5])
    but_last = ["but_last_correlation", "but_last_p_value"]
    assert found[but_last].tolist() == pytest.approx(list(oracle))
    assert found["correlation"] < 0 < found["but_last_correlation"]


def test_depth_compares_the_filters_of_the_halves_in_pairs():
    # of 2 x 3 pairs, the first costs more in 3 and the same in 1; the middle does not count
    found = depth(conv1=[5, 1], conv2=[100], conv3=[0, 1, 7])
    assert found["first_costs_more"] == pytest.approx(3.5 / 6)
    oracle = scipy.stats.mannwhitneyu([5, 1], [0, 1, 7])
    assert found["halves_p_value"] == pytest.approx(oracle.pvalue)


def test_a_wide_layer_weighs_on_the_filters_and_not_on_the_layers():
    # conv2, cheapest, is in the middle; conv3 has most filters
    found = depth(conv1=[2], conv2=[1], conv3=range(3, 23))
    assert found["layer_correlation"] == pytest.approx(0.5)


def test_a_net_change_is_judged_by_the_images_on_both_sides_and_for_all_filters_at_once():
    lost = torch.tensor([9, 60, 8, 0, 5])
    gained = torch.tensor([0, 51, 0, 9, 0])
    filters = atlas_tables.by_filter(one_layer(200, 150, lost, gained), ["cat"])
    # net changes of 9, 9, 8, -9 and 5 images; those of 60 lost and 51 gained are no more than
    # chance, nor are 5 images
    assert atlas_tables.significant(filters).tolist() == [True, False, True, True, False]
    found = atlas_tables.depth(filters, images=200).iloc[0]
    assert (found["filters"], found["images"], found["significant"]) == (5, 200, 3)


def test_what_one_filter_could_show_may_be_chance_among_many():
    lost = torch.tensor([6] + [0] * 39)
    filters = atlas_tables.by_filter(one_layer(100, 50, lost, 0 * lost), ["cat"])
    assert metrics.mcnemar_p_value(6, 0) < 0.05
    assert not atlas_tables.significant(filters).any()


@pytest.mark.parametrize(
    "filters", [drops(conv1=[0, 0], conv2=[0]), drops(conv1=[1, 2, 3]), drops(conv1=[1], conv2=[2])]
)
def test_constants_single_layers_and_pairs_have_no_correlation(filters):
    found = atlas_tables.depth(filters, images=100)
    assert found[["correlation", "p_value"]].isna().all(axis=None)
    assert atlas_tables.headlines(found) == {}


def test_filters_that_cost_the_same_cannot_be_compared():
    assert depth(conv1=[2, 2], conv2=[2])[["first_costs_more", "halves_p_value"]].isna().all()


def test_the_headline_is_the_correlation():
    found = atlas_tables.depth(drops(conv1=[1], conv2=[2], conv3=[3]), images=100)
    assert atlas_tables.headlines(found) == {"atlas_depth_correlation": pytest.approx(1)}


def test_halves_leave_out_the_middle_of_an_odd_number():
    filters = drops(conv1=[6, 4], conv2=[4], conv3=[100], conv4=[1, 1, 1], conv5=[-1, 0])
    expected = """
        half    layers          filters  mean_drop_percent  layer_drop_percent
        first   "conv1, conv2"        3        4.666666667                 7.0
        second  "conv4, conv5"        5        0.4                         1.0
    """
    assert_table(atlas_tables.halves(filters), expected)
    even = atlas_tables.halves(drops(conv1=[1], conv2=[2]))
    assert even["layers"].tolist() == ["conv1", "conv2"]
