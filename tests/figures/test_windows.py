import pandas as pd
import pytest
from tests.figures.labels import words

from convscope.figures import windows


def covered(*names):
    return pd.DataFrame(
        {"class": name, "window": k, "confidence": (n + 1) / k, "accuracy": (n + 1) / 2 / k}
        for n, name in enumerate(names)
        for k in (3, 5, 7)
    )


def test_fall_with_window_has_a_labeled_line_a_class_and_one_of_all():
    confidence, accuracy = windows.fall_with_window(covered("plane", "all", "car")).axes
    assert words(confidence.texts) == ["plane", "car", "all"]
    assert len(confidence.lines) == 3
    *_, overall = confidence.lines
    assert overall.get_color() == "black"
    assert overall.get_ydata().tolist() == pytest.approx([2 / 3, 2 / 5, 2 / 7])
    assert accuracy.lines[0].get_ydata()[0] == pytest.approx(100 / 6)
    assert confidence.get_xticks().tolist() == [3, 5, 7]


def test_the_lines_of_many_classes_have_no_names(monkeypatch):
    monkeypatch.setattr(windows, "MOST_NAMED", 2)
    confidence, _ = windows.fall_with_window(covered("all", *"abc")).axes
    assert len(confidence.lines) == 4
    assert not confidence.texts
    assert words(confidence.get_legend().get_texts()) == ["each of 3 classes", "all"]


def test_ten_classes_look_different():
    confidence, _ = windows.fall_with_window(covered("all", *"abcdefghij")).axes
    looks = {(line.get_color(), line.get_linestyle()) for line in confidence.lines}
    assert len(looks) == 11
