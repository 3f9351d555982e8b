import pandas as pd
import pytest
import torch
from sklearn import metrics as oracle

from convscope.base import metrics
from convscope.evaluation import history_tables
from convscope.training.trainer import overfit_percent
from tests import toys


def history(**columns):
    """A small history: what the test does not name is the same in every row."""
    rows = len(next(iter(columns.values())))
    usual = dict.fromkeys(toys.HISTORY, 0)
    return pd.DataFrame({key: columns.get(key, [usual[key]] * rows) for key in usual})


def test_confusion_matrix_agrees_with_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 9, (500,), generator=generator)  # class 9 never occurs
    predictions = torch.randint(0, 10, (500,), generator=generator)
    ours = metrics.confusion_matrix(labels, predictions, 10)
    theirs = oracle.confusion_matrix(labels, predictions, labels=range(10))
    assert ours.tolist() == theirs.tolist()
    assert metrics.class_accuracy(ours)[9] == 0


def test_confusion_matrix_by_hand():
    matrix = metrics.confusion_matrix(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 2, 1, 1]), 3)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    assert metrics.class_accuracy(matrix).tolist() == [0.5, 1.0, 0.0]


def test_accuracy_by_hand():
    logits = torch.tensor([[0.0, 2.0], [3.0, 1.0], [0.0, 1.0], [5.0, 4.0]])
    assert metrics.accuracy(logits, torch.tensor([1, 0, 0, 0])) == 0.75


def test_overfit_is_averaged_after_clipping():
    rows = history(run=[1, 1], overfit_percent=[overfit_percent(0.2, 0.4), 10.0])
    assert history_tables.mean_by(rows, ["run"])["overfit_percent"].tolist() == [5.0]


def test_several_seeds_give_the_spread_of_their_means():
    table = history_tables.mean_by(
        history(l1_oc=[6, 6, 6, 6], seed=[0, 0, 1, 1], test_accuracy=[0.1, 0.3, 0.5, 0.7]),
        ["l1_oc"],
    )
    assert table["test_accuracy"].tolist() == pytest.approx([0.4])
    assert table["test_accuracy_std"].tolist() == pytest.approx([0.4 / 2**0.5])
    assert "test_accuracy_std" not in history_tables.mean_by(history(l1_oc=[6, 6]), ["l1_oc"])


def test_best_row_is_the_earliest_of_equals():
    rows = history(run=[1, 1, 2], epoch=[1, 2, 1], test_accuracy=[0.2, 0.6, 0.6])
    best = history_tables.best_row(rows)
    assert best[["run", "epoch"]].to_numpy().tolist() == [[1, 2]]


def test_accuracy_interval_is_wilsons():
    # 8 of 10: Wilson (1927), z = 1.96
    assert metrics.accuracy_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
