from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from tests import toys
from tests.figures.labels import legend

from convscope.figures import curves

POINT = {axis: [value] for axis, value in toys.POINT.items()}


def history(epochs=2, **grid):
    """A history whose test accuracy is run / 100 + epoch / 1000."""
    points = [dict(zip(POINT, values, strict=True)) for values in product(*(POINT | grid).values())]
    return pd.DataFrame(
        {
            "run": run,
            "epoch": epoch,
            "loss": 2.0 / epoch,
            "train_accuracy": 0.5 + run / 100,
            "test_accuracy": run / 100 + epoch / 1000,
            **point,
        }
        for run, point in enumerate(points, start=1)
        for epoch in range(1, epochs + 1)
    )


def drawn(runs):
    return curves.learning_curves(runs, "net4")


def test_one_run_is_one_line_a_panel_without_a_legend():
    figure = drawn(history())
    assert [len(axes.lines) for axes in figure.axes] == [1, 1, 1]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["Training loss", "Train accuracy", "Test accuracy"]
    assert not figure.legends
    loss, train, test = figure.axes
    assert train.get_ylim() == test.get_ylim() != loss.get_ylim()
    (test,) = test.lines
    assert test.get_xdata().tolist() == [1, 2]
    assert test.get_ydata().tolist() == pytest.approx([1.1, 1.2])  # percent
    # a single epoch is visible
    assert drawn(history(epochs=1)).axes[0].lines[0].get_marker() == "o"


def test_color_line_style_and_width_follow_the_axes_that_vary():
    grid = {"l1_oc": [6, 12, 18], "kernel_size": [3, 5], "stride": [1, 2]}
    figure = drawn(history(**grid))
    lines = figure.axes[0].lines
    assert len(lines) == 12
    looks = [(line.get_color(), line.get_linestyle(), line.get_linewidth()) for line in lines]
    assert len(set(looks)) == 12
    assert [len(set(choices)) for choices in zip(*looks, strict=True)] == [3, 2, 2]
    assert legend(figure) == [
        *("l1_oc = 6", "l1_oc = 12", "l1_oc = 18"),
        *("kernel_size = 3", "kernel_size = 5", "stride = 1", "stride = 2"),
    ]
    many = drawn(history(lr=[k / 100 for k in range(1, 10)]))
    assert len({str(line.get_color()) for line in many.axes[0].lines}) == 9


def test_a_fourth_axis_gets_a_row_of_panels_for_each_value():
    grid = {"l1_oc": [6, 12, 18], "filter_multiplier": [1.5, 2.0]}
    figure = drawn(history(**grid, kernel_size=[3, 5], stride=[1, 2]))
    assert [len(axes.lines) for axes in figure.axes] == [12] * 6
    assert figure.axes[5].get_title(loc="left") == "Test accuracy (stride = 2)"
    assert legend(figure)[3] == "filter_multiplier = 1.5"
    # runs with stride 2 are those with even numbers
    last = [line.get_ydata()[0] for line in figure.axes[5].lines]
    assert last == pytest.approx(np.arange(2, 25, 2) + 0.1)


def test_the_values_of_two_axes_stand_below_the_name_of_a_panel():
    grid = {"l1_oc": [6, 12], "filter_multiplier": [1.5, 2.0], "kernel_size": [3, 5]}
    figure = drawn(history(**grid, stride=[1, 2], dropout_rate=[0.1, 0.5]))
    title = figure.axes[5].get_title(loc="left")
    assert title == "Test accuracy\n(stride = 1, dropout_rate = 0.5)"


CROWD = {"l1_oc": [6, 12, 18], "filter_multiplier": [1.5, 2.0], "kernel_size": [3, 5]}


def steep(epochs):
    """The history of 24 runs, whose curves are steep in the first epochs and flat later."""
    runs = history(epochs, **CROWD, stride=[1, 2])
    steepness = 1 / runs["epoch"] ** 2
    runs["loss"] = 0.3 + 2 * steepness
    for column, best in (("train_accuracy", 0.9), ("test_accuracy", 0.7)):
        runs[column] = best - 0.6 * steepness + runs["run"] / 1000
    return runs


def test_a_crowd_of_lines_has_ranges_that_leave_out_the_steep_start():
    runs = steep(30)
    figure = drawn(runs)
    later = runs[runs["epoch"] > 6]
    loss, train, test, *others = figure.axes
    low, high = loss.get_ylim()
    assert low < runs["loss"].min()
    assert later["loss"].max() < high < runs.loc[runs["epoch"] <= 3, "loss"].min()
    low, high = train.get_ylim()
    assert 100 * runs["train_accuracy"].max() < high
    assert 58 < low < 100 * later["test_accuracy"].min()
    assert test.get_ylim() == train.get_ylim()
    assert [axes.get_ylim() for axes in others] == [axes.get_ylim() for axes in (loss, train, test)]
    assert "epoch 7 and later" in figure.get_supxlabel()


def test_runs_that_get_worse_stay_in_range_and_those_without_a_loss_leave_it():
    runs = steep(30)
    runs.loc[runs["epoch"] == 2, ["loss", "test_accuracy"]] = [0.1, 0.99]
    loss, _, test, *_ = drawn(runs).axes
    assert loss.get_ylim()[0] < 0.1
    assert test.get_ylim()[1] > 99
    runs.loc[runs["run"] <= 2, "loss"] = runs["run"].map({1: np.inf, 2: np.nan})
    assert np.isfinite(drawn(runs).axes[0].get_ylim()).all()


@pytest.mark.parametrize("shown", [steep(4), steep(30).query("run <= 2"), history(30)])
def test_a_few_lines_or_epochs_are_shown_whole(shown):
    figure = drawn(shown)
    low, _ = figure.axes[2].get_ylim()
    assert low < 100 * shown["test_accuracy"].min()
    assert figure.axes[0].get_ylim()[1] > shown["loss"].max()
    assert not figure.get_supxlabel()


def test_a_crowd_of_lines_is_thinner_in_higher_panels_and_the_legend_as_well():
    few = drawn(history(l1_oc=[6, 12], kernel_size=[3, 5], stride=[1]))
    many = drawn(history(**CROWD, seed=[0, 1]))
    assert many.get_figheight() > 1.3 * few.get_figheight()
    assert {line.get_linewidth() for line in few.axes[0].lines} == {1.6}
    means = many.axes[0].lines
    widths = sorted({line.get_linewidth() for line in means})
    assert widths == pytest.approx([0.63, 1.68])
    handles = {line.get_label(): line for line in many.legends[0].get_lines()}
    assert [handles[f"kernel_size = {k}"].get_linewidth() for k in (3, 5)] == widths
    # a thin line is seen in front of a thick one, and all in front of the bands
    (thin,) = {line.get_zorder() for line in means if line.get_linewidth() == widths[0]}
    (thick,) = {line.get_zorder() for line in means if line.get_linewidth() == widths[1]}
    assert thin > thick > max(band.get_zorder() for band in many.axes[0].collections)


def test_the_mean_of_the_seeds_is_a_line_and_their_range_a_band():
    figure = drawn(history(dropout_rate=[0.3, 0.5], seed=[0, 1, 2]))
    mean, _ = figure.axes[2].lines
    band, _ = figure.axes[2].collections
    # runs 1, 2 and 3
    assert mean.get_ydata().tolist() == pytest.approx([2.1, 2.2])
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.round(6).tolist()}
    assert corners == {(1.0, 1.1), (1.0, 3.1), (2.0, 1.2), (2.0, 3.2)}
    assert tuple(band.get_facecolor()[0][:3]) == pytest.approx(to_rgb(mean.get_color()))
    assert legend(figure)[2:] == ["mean of 3 seeds", "range of the seeds"]


def test_a_single_seed_has_no_band():
    assert not drawn(history(dropout_rate=[0.3, 0.5], seed=[0])).axes[2].collections


def test_train_against_test_shades_the_gap():
    histories = {"dropout 0.1": history(), "dropout 0.5": history(dropout_rate=[0.5])}
    figure = curves.train_against_test(histories, "net3")
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert len(axes.lines) == 2
        heights = axes.collections[0].get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == pytest.approx((1.1, 51))
    # train 51, test 1.2 at the last epoch
    assert figure.axes[1].get_title(loc="left").startswith("dropout 0.5\n")
    assert "+49.8 points" in figure.axes[1].get_title(loc="left")


def test_train_against_test_shows_the_range_of_several_seeds():
    seeds = pd.concat([history(), history().assign(seed=1, test_accuracy=0.5)])
    figure = curves.train_against_test({"dropout 0.1": seeds}, "net3")
    (axes,) = figure.axes
    # the gap's, and a band of each line
    _, _, test = axes.collections
    heights = test.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((1.1, 50))
    assert legend(figure)[-1] == "range of the seeds"


def studied(runs):
    """The same runs, by the study's way a point better at each epoch than the usual way."""
    return runs.assign(study_accuracy=runs["test_accuracy"] + 0.01)


def test_the_study_s_way_of_testing_has_a_panel_of_the_same_range():
    figure = drawn(studied(history(dropout_rate=[0.3, 0.5])))
    *_, test, own = figure.axes
    assert own.get_title(loc="left") == "Test, the study's way"
    assert own.get_ylim() == test.get_ylim()
    assert own.lines[1].get_ydata().tolist() == pytest.approx([3.1, 3.2])
    assert own.lines[1].get_color() == test.lines[1].get_color()


def test_the_study_s_way_is_a_dashed_line_of_the_color_of_test_where_all_runs_have_it():
    both = {"dropout 0.1": studied(history()), "dropout 0.5": studied(history())}
    figure = curves.train_against_test(both, "net3")
    train, test, own = figure.axes[0].lines
    assert own.get_ydata().tolist() == pytest.approx([2.1, 2.2])
    assert own.get_color() == test.get_color() != train.get_color()
    assert own.get_linestyle() == train.get_linestyle() == "--" != test.get_linestyle()
    assert legend(figure) == ["train (running mean)", "test", "test, the study's way"]
    one = curves.train_against_test(both | {"dropout 0.5": history()}, "net3")
    assert legend(one) == ["train (running mean)", "test"]


def test_curves_before_and_after_have_a_panel_for_each_network():
    before, after = {"net1": [0.5, 0.75, 0.8], "net2": [0.25]}, {"net1": [0.5, 0.625], "net3": []}
    figure = curves.before_and_after(before, after)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["net1", "net2", "net3"]
    first, second = figure.axes[0].lines
    assert (first.get_xdata().tolist(), first.get_ydata().tolist()) == ([1, 2, 3], [50, 75, 80])
    assert (second.get_xdata().tolist(), second.get_ydata().tolist()) == ([1, 2], [50, 62.5])
    assert first.get_linewidth() > second.get_linewidth()
    assert first.get_color() != second.get_color()
    assert figure.axes[1].lines[0].get_marker() == "o"
    assert legend(figure) == ["before", "after"]
