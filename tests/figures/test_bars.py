import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from convscope.figures import bars, style


def row_names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_before_after_pairs_the_classes_and_sets_overall_apart():
    figure = bars.before_after(
        ["overall", "plane", "cat"], [0.8, 0.86, 0.7], [0.79, 0.82, 0.82], ("intact", "ablated")
    )
    (axes,) = figure.axes
    assert row_names(axes) == ["plane", "cat", "overall"]
    assert [text.get_text() for text in axes.texts] == [
        "\N{MINUS SIGN}4.0",
        "+12.0",
        "\N{MINUS SIGN}1.0",
    ]
    before, after = (dots.get_offsets() for dots in axes.collections[1:])
    assert before[:, 0].tolist() == pytest.approx([86, 70, 80])
    assert after[:, 0].tolist() == pytest.approx([82, 82, 79])
    rows = before[:, 1]
    assert rows[2] - rows[1] > rows[1] - rows[0]
    assert legend(figure) == ["intact", "ablated"]


def test_before_after_without_overall_has_even_rows():
    (axes,) = bars.before_after(["plane", "cat"], [0.5, 0.6], [0.5, 0.6]).axes
    assert axes.get_yticks().tolist() == [0, 1]
    assert [text.get_text() for text in axes.texts] == ["0.0", "0.0"]
    assert not axes.lines


def test_best_of_nets_shows_interval_parameters_and_epoch():
    table = pd.DataFrame(
        {
            "net": ["net1", "net4"],
            "test_accuracy": [0.6704, 0.8874],
            "low": [0.66, 0.88],
            "high": [0.68, 0.893],
            "total_parameters": [173026, 4403518],
            "epoch": [12, 91],
        }
    )
    (axes,) = bars.best_of_nets(table).axes
    assert row_names(axes)[1] == "net4\n4,403,518 parameters\nepoch 91"
    assert [text.get_text() for text in axes.texts] == ["67.04%", "88.74%"]
    (interval,) = axes.collections
    ends = [segment[:, 0].tolist() for segment in interval.get_segments()]
    assert np.ravel(ends).tolist() == pytest.approx([66, 68, 88, 89.3])


def test_protocols_are_grouped_in_order_of_appearance():
    names = ["clean images, evaluation mode", "augmented images, training mode"]
    table = pd.DataFrame(
        {
            "net": ["net4", "net4", "net3"],
            "protocol": [*names, names[0]],
            "accuracy": [0.9, 0.8, 0.7],
        }
    )
    figure = bars.protocols(table)
    (axes,) = figure.axes
    assert row_names(axes) == ["net4", "net3"]
    assert legend(figure) == names
    clean, augmented = axes.containers
    assert [bar.get_width() for bar in clean] == pytest.approx([90, 70])
    assert augmented[0].get_width() == pytest.approx(80)
    assert axes.get_xlim() == (0, 100)


def test_atlas_spreads_the_filters_and_names_the_worst_of_each_layer():
    table = pd.DataFrame(
        {
            "layer": ["conv1"] * 4 + ["conv2"] * 512,
            "filter": [*range(4), *range(512)],
            "drop_percent": [0.5, -0.2, 3.0, 0.1, *np.sin(np.arange(512)) / 10],
        }
    )
    figure = bars.atlas(table)
    (axes,) = figure.axes
    few, many = (dots.get_offsets() for dots in axes.collections)
    assert few[:, 1].tolist() == [0.5, -0.2, 3.0, 0.1]
    assert np.abs(few[:, 0]).max() < 0.321
    assert np.abs(many[:, 0] - 1).max() < 0.321
    # 512 filters are spread evenly: no two closer than a third of the mean distance
    assert np.diff(np.sort(many[:, 0])).min() > 0.64 / 512 / 3
    worst = int(np.sin(np.arange(512)).argmax())
    assert [text.get_text() for text in axes.texts] == ["filter 2", f"filter {worst}"]
    zero, median, _ = axes.lines
    assert list(zero.get_ydata()) == [0, 0]
    assert list(median.get_ydata()) == pytest.approx([0.3, 0.3])
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "conv1\n4 filters",
        "conv2\n512 filters",
    ]
    assert legend(figure) == ["median of the layer"]


def test_responses_name_dead_filters_and_gray_them():
    table = pd.DataFrame(
        {
            "filter": ["conv1/0", "conv2/1"],
            "mean": [578.772, -13.1319],
            "max": [637.594, -12.5783],
            "dead": [False, True],
        }
    )
    (axes,) = bars.responses(table).axes
    assert row_names(axes) == ["conv1/0", "conv2/1 (dead)"]
    assert [text.get_text() for text in axes.texts] == ["578.8", "\N{MINUS SIGN}13.13"]
    largest, mean = axes.collections[1:]
    assert largest.get_offsets()[:, 0].tolist() == pytest.approx([637.594, -12.5783])
    colors = [to_hex(color) for color in mean.get_facecolor()]
    assert colors == [style.PALETTE[0].lower(), style.MUTED]
