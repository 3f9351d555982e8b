import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal
from sklearn import metrics as oracle

from convscope.analysis.ablation import tables
from convscope.analysis.ablation.ablate import compare

CLASSES = ("bird", "car", "cat")
LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])


def sure_of(*predictions, classes=3):
    """Logits that say these classes."""
    return torch.nn.functional.one_hot(torch.tensor(predictions), classes).float()


BEFORE = sure_of(0, 0, 0, 2, 1, 1, 2, 1)
AFTER = sure_of(1, 0, 2, 2, 1, 0, 2, 2)


@pytest.fixture
def found():
    return compare(LABELS, BEFORE, AFTER, CLASSES)


def test_class_accuracy_in_percent_and_overall(found):
    expected = {
        "class": ["bird", "car", "cat", "overall"],
        "before_percent": [75.0, 100.0, 50.0, 75.0],
        "after_percent": [25.0, 50.0, 100.0, 50.0],
        "drop_points": [50.0, 50.0, -50.0, 25.0],
    }
    assert_frame_equal(tables.class_accuracy(found), pd.DataFrame(expected))


def test_class_accuracy_agrees_with_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 5, (300,), generator=generator)
    before = torch.randn(300, 5, generator=generator)
    after = torch.randn(300, 5, generator=generator)
    table = tables.class_accuracy(compare(labels, before, after, "abcde"))
    for column, logits in (("before_percent", before), ("after_percent", after)):
        predicted = logits.argmax(1)
        recall = oracle.recall_score(labels, predicted, average=None)
        overall = oracle.accuracy_score(labels, predicted)
        assert table[column].tolist() == pytest.approx([*(100 * recall), 100 * overall])


def test_headlines_are_few_and_plain_numbers(found):
    assert tables.headlines(found) == {
        "accuracy_before": 0.75,
        "accuracy_after": 0.5,
        "drop_points": 25.0,
        "newly_misclassified": 3.0,
    }


def test_errors_between_groups_before_and_after(found):
    groups = {"animals": ("bird", "cat"), "vehicles": ("car",)}
    expected = {
        "true": ["animals", "animals", "vehicles", "vehicles"],
        "predicted": ["animals", "vehicles", "animals", "vehicles"],
        "before": [1, 1, 0, 0],
        "after": [2, 1, 1, 0],
    }
    assert_frame_equal(tables.between_groups(found, groups), pd.DataFrame(expected))


def test_data_without_groups_gives_a_table_without_rows(found):
    table = tables.between_groups(found, {})
    assert list(table) == ["true", "predicted", "before", "after"]
    assert table.empty


def test_newly_misclassified_images_were_right_before(found):
    expected = {
        "image": [0, 2, 5],
        "true": ["bird", "bird", "car"],
        "predicted": ["car", "cat", "bird"],
    }
    table = tables.newly_misclassified(found, LABELS, AFTER)
    assert_frame_equal(table, pd.DataFrame(expected))


def test_an_ablation_without_harm_gives_a_table_without_rows():
    unharmed = compare(LABELS, BEFORE, BEFORE, CLASSES)
    table = tables.newly_misclassified(unharmed, LABELS, BEFORE)
    assert list(table) == ["image", "true", "predicted"]
    assert table.empty
