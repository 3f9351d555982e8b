import numpy as np
import pytest
from matplotlib.colors import to_hex
from tests.figures.labels import legend, texts, words
from tests.toys import table

from convscope.figures import dots, style


def test_before_after_draws_those_of_many_classes_that_change_most(monkeypatch):
    monkeypatch.setattr(dots, "MOST_CLASSES", 2)
    figure = dots.before_after(
        table("""
            class    before_percent  after_percent
            plane              86.0           82.0
            cat                70.0           70.0
            dog                70.0           80.0
            overall            80.0           79.0
        """)
    )
    (axes,) = figure.axes
    assert words(axes.get_yticklabels()) == ["plane", "dog", "overall"]


def test_before_after_pairs_the_classes_and_sets_overall_apart():
    figure = dots.before_after(
        table("""
            class    before_percent  after_percent
            plane              86.0           82.0
            cat                70.0           82.0
            overall            80.0           79.0
        """)
    )
    (axes,) = figure.axes
    assert words(axes.get_yticklabels()) == ["plane", "cat", "overall"]
    # before minus after, as in the table: a loss is positive
    assert axes.get_title(loc="right") == "drop (points)"
    assert words(axes.texts) == ["4.0", "\N{MINUS SIGN}12.0", "1.0"]
    before, after = (marks.get_offsets() for marks in axes.collections[1:])
    assert before[:, 0].tolist() == pytest.approx([86, 70, 80])
    assert after[:, 0].tolist() == pytest.approx([82, 82, 79])
    rows = before[:, 1]
    assert rows[2] - rows[1] > rows[1] - rows[0]
    assert legend(figure) == ["before", "after"]


def test_best_runs_shows_interval_parameters_and_epoch():
    runs = table("""
        net   test_accuracy   low   high  total_parameters  epoch
        net1         0.6704  0.66  0.680            173026     12
        net4         0.8874  0.88  0.893           4403518     91
    """)
    (axes,) = dots.best_runs(runs).axes
    assert words(axes.get_yticklabels())[1] == "net4\n4,403,518 parameters\nepoch 91"
    assert words(axes.texts) == ["67.04%", "88.74%"]
    (interval,) = axes.collections
    ends = [segment[:, 0].tolist() for segment in interval.get_segments()]
    assert np.ravel(ends).tolist() == pytest.approx([66, 68, 88, 89.3])


SELECTED = table("""
    net   test_accuracy   low  high  last_accuracy  last_low  last_high
    net1           0.67  0.66  0.68           0.65      0.64       0.66
    net4           0.88  0.87  0.89           0.85      0.84       0.86
""")


def test_selection_shows_best_and_last_with_their_intervals():
    figure = dots.selection(SELECTED)
    (axes,) = figure.axes
    assert words(axes.get_yticklabels()) == ["net1", "net4"]
    assert legend(figure) == ["best on the test images", "last epoch"]
    assert words(axes.texts) == ["67.00%", "88.00%", "65.00%", "85.00%"]
    ends = [segment[:, 0] for lines in axes.collections for segment in lines.get_segments()]
    assert np.ravel(ends).tolist() == pytest.approx([66, 68, 87, 89, 64, 66, 84, 86])


def test_selection_shows_the_chosen_epochs_of_the_networks_that_have_one():
    nan = float("nan")
    chosen = {"chosen_accuracy": [0.5, nan], "chosen_low": [0.4, nan], "chosen_high": [0.6, nan]}
    figure = dots.selection(SELECTED.assign(**chosen))
    assert legend(figure)[2] == "chosen on validation images"
    assert texts(figure)[4:] == ["50.00%"]


def test_protocols_are_grouped_in_order_of_appearance():
    names = ["clean images, evaluation mode", "augmented images, training mode"]
    tested = table(f"""
        net   protocol      accuracy   low  high
        net4  "{names[0]}"       0.9  0.88  0.92
        net4  "{names[1]}"       0.8  0.77  0.83
        net3  "{names[0]}"       0.7  0.66  0.74
    """)
    figure = dots.protocols(tested)
    (axes,) = figure.axes
    assert words(axes.get_yticklabels()) == ["net4", "net3"]
    assert legend(figure) == names
    assert words(axes.texts) == ["90.00%", "70.00%", "80.00%"]
    clean, augmented = (lines.get_segments() for lines in axes.collections)
    ends = [segment[:, 0].tolist() for segment in (*clean, augmented[0])]
    assert ends == [pytest.approx(pair) for pair in ([88, 92], [66, 74], [77, 83])]


def test_responses_name_dead_filters_and_gray_them():
    measured = table("""
        filter       mean       max  dead
        conv1/0  578.772   637.594   False
        conv2/1  -13.1319  -12.5783  True
    """)
    (axes,) = dots.responses(measured).axes
    assert words(axes.get_yticklabels()) == ["conv1/0", "conv2/1 (dead)"]
    assert words(axes.texts) == ["578.8", "\N{MINUS SIGN}13.13"]
    largest, mean = axes.collections[1:]
    assert largest.get_offsets()[:, 0].tolist() == pytest.approx([637.594, -12.5783])
    colors = [to_hex(color) for color in mean.get_facecolor()]
    assert colors == [style.PALETTE[0].lower(), style.MUTED]
