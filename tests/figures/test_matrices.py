from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from tests.figures.labels import legend, words

from convscope.figures import matrices

CLASSES = ("plane", "bird", "cat", "ship")
GROUPS = {"animals": ("bird", "cat"), "vehicles": ("plane", "ship")}
BEFORE = np.array([[90, 4, 0, 6], [3, 80, 17, 0], [0, 12, 88, 0], [2, 1, 0, 97]])
AFTER = np.array([[70, 20, 4, 6], [3, 85, 12, 0], [0, 13, 87, 0], [2, 9, 5, 84]])


@pytest.fixture(scope="module")
def figure():
    panels = {"before": BEFORE, "after": AFTER, "change": AFTER - BEFORE}
    tensors = {name: torch.from_numpy(cells) for name, cells in panels.items()}
    return matrices.confusion(tensors, CLASSES, GROUPS, "mine", difference="change")


def cells(axes):
    """Cell texts by (row, column)."""
    return {text.get_position()[::-1]: text.get_text() for text in axes.texts}


def test_every_cell_has_its_count(figure):
    assert figure.get_suptitle() == "mine"
    before, _, change = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["before", "after", "change"]
    expected = {place: str(count) for place, count in np.ndenumerate(BEFORE)}
    assert cells(before) == expected
    assert cells(change)[0, 1] == "+16"
    assert cells(change)[0, 0] == "\N{MINUS SIGN}20"
    assert cells(change)[0, 3] == "0"
    assert before.get_ylabel() == "true class"
    assert words(before.get_xticklabels()) == list(CLASSES)


def test_counts_share_a_scale_that_ends_at_the_largest_mistake(figure):
    before, after, change = (axes.images[0] for axes in figure.axes)
    assert (before.norm.vmin, before.norm.vmax) == (0, 20)
    assert (after.norm.vmin, after.norm.vmax) == (0, 20)
    assert np.ma.getmaskarray(before.get_array()).tolist() == np.eye(4, dtype=bool).tolist()
    assert (change.norm.vmin, change.norm.vmax) == (-16, 16)
    assert not np.ma.is_masked(change.get_array())


def test_numbers_are_white_on_dark_cells_only(figure):
    after = {t.get_position()[::-1]: to_hex(t.get_color()) for t in figure.axes[1].texts}
    assert after[0, 1] == "#ffffff"  # 20, the end of the scale
    assert after[0, 0] == matrices.INK  # gray diagonal
    assert after[1, 3] == matrices.MUTED  # zero


def test_outlines_hold_the_cells_between_groups_and_the_legend_names_them(figure):
    for axes in figure.axes:
        found = {}
        for box in axes.patches:
            (left, top), (right, bottom) = box.get_bbox().get_points()
            rows = [row for row in range(4) if top < row < bottom]
            columns = [column for column in range(4) if left < column < right]
            inside = set(product(rows, columns))
            found.setdefault(to_hex(box.get_edgecolor()), []).append(inside)
        animals, vehicles = (color.lower() for color in matrices.OUTLINES)
        assert found == {
            animals: [{(1, 0), (2, 0)}, {(1, 3), (2, 3)}],
            vehicles: [{(0, 1), (0, 2)}, {(3, 1), (3, 2)}],
        }
    assert legend(figure) == ["animals taken for vehicles", "vehicles taken for animals"]


def test_without_groups_there_is_neither_outline_nor_legend():
    cells = {f"net{n}": torch.eye(2, dtype=torch.int64) for n in range(4)}
    figure = matrices.confusion(cells, "01", {}, "mine")
    assert len(figure.axes) == 4
    assert not any(axes.patches for axes in figure.axes)
    assert not figure.legends


def test_of_many_classes_the_cells_have_no_numbers_and_some_have_names(monkeypatch):
    monkeypatch.setattr(matrices, "MOST_CLASSES", 3)
    monkeypatch.setattr(matrices, "LARGE", 2 * matrices.NAME)
    figure = matrices.confusion({"net1": torch.from_numpy(BEFORE)}, CLASSES, {}, "mine")
    axes, bar = figure.axes
    assert not axes.texts
    assert bar.get_ylabel() == "test images"
    assert all(tick == int(tick) for tick in bar.get_yticks())
    assert words(axes.get_yticklabels()) == ["plane", "cat"]
    assert axes.get_yticks().tolist() == [0, 2]


def test_long_names_leave_the_cells_their_room():
    cells = {"net1": torch.eye(2, dtype=torch.int64)}
    short, long = (
        matrices.confusion(cells, names, {}, "mine").get_figwidth()
        for names in ("ab", ["a" * 60, "b" * 60])
    )
    assert long > short


def test_the_classes_that_occur_most_are_drawn_of_many(monkeypatch):
    monkeypatch.setattr(matrices, "MOST_CLASSES", 2)
    table = pd.DataFrame([[6, 0, 1], [2, 1, 9]], ["conv1/0", "conv1/1"], ["plane", "car", "cat"])
    (axes,) = matrices.class_frequency(table).axes
    assert words(axes.get_xticklabels()) == ["plane", "cat"]


def test_class_frequency_shows_counts_by_filter_and_class():
    table = pd.DataFrame([[6, 0], [2, 13]], index=["conv1/0", "conv1/1"], columns=["plane", "car"])
    (axes,) = matrices.class_frequency(table).axes
    assert cells(axes) == {(0, 0): "6", (0, 1): "0", (1, 0): "2", (1, 1): "13"}
    assert words(axes.get_yticklabels()) == ["conv1/0", "conv1/1"]
    assert (axes.images[0].norm.vmin, axes.images[0].norm.vmax) == (0, 13)
