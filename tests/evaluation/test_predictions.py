import pytest
import torch
from sklearn import metrics as oracle

from convscope.base import metrics
from convscope.base.names import STUDY_MEASURED
from convscope.evaluation import predictions
from tests.toys import assert_table, sure_of

CLASSES = ("cat", "dog", "ship")
LABELS = torch.tensor([0, 0, 1, 2])


def random_case(images=400, classes=10):
    """Labels without the last class, and random logits."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes - 1, (images,), generator=generator)
    return labels, torch.randn(images, classes, generator=generator)


def best_json(run, epoch, studied=None, **point):
    measured = {"epoch": epoch, "train_accuracy": 0.875, "overfit_percent": 12.5}
    measured |= studied or {}
    return {"run": run, "total_parameters": 100 * run, "point": point, "best": measured}


def test_best_runs_measures_the_logits_it_is_given():
    table = predictions.best_runs(
        {"net2": sure_of(0, 0, 1, 0), "net1": sure_of(1, 1, 1, 1)},
        LABELS,
        {"net1": best_json(3, 7, lr=0.1, l1_oc=6), "net2": best_json(5, 2, lr=0.2, l1_oc=8)},
        {"net1": 0.5, "net2": 0.25},
        {},
    )
    # 3 of 4 and 1 of 4: Wilson (1927), z = 1.96
    assert table.pop("low").tolist() == pytest.approx([0.3006, 0.0456], abs=1e-4)
    assert table.pop("high").tolist() == pytest.approx([0.9544, 0.6994], abs=1e-4)
    assert table.pop("train_accuracy_clean").tolist() == [0.25, 0.5]
    assert table.pop("clean_gap_points").tolist() == [-50.0, 25.0]
    studied = [*STUDY_MEASURED, "best_study_accuracy"]
    assert table[studied].isna().all(axis=None)
    expected = """
        net  run  epoch  test_accuracy  train_accuracy  overfit_percent  total_parameters  lr  l1_oc
        net2   5      2           0.75           0.875             12.5               500  0.2     8
        net1   3      7           0.25           0.875             12.5               300  0.1     6
    """
    assert_table(table.drop(columns=studied), expected)


def test_best_runs_have_what_was_measured_as_the_study_did_or_is_the_same_by_it():
    studied = {"study_accuracy": 0.625, "study_overfit_percent": 25.0}
    best = {net: best_json(1, 1) for net in ("net1", "net3")} | {"net4": best_json(1, 1, studied)}
    outputs, fitted = dict.fromkeys(best, sure_of(0, 0, 1, 0)), dict.fromkeys(best, 1.0)
    highest = {"net1": 0.8, "net4": 0.7}
    found = predictions.best_runs(outputs, LABELS, best, fitted, highest, alike={"net1"})
    table = found.set_index("net")[[*STUDY_MEASURED, "best_study_accuracy"]]
    assert table.loc["net1"].tolist() == [0.75, 12.5, 0.8]
    assert table.loc["net3"].isna().all()
    # some other epoch was better
    assert table.loc["net4"].tolist() == [0.625, 25.0, 0.7]


def test_predictions_have_a_column_for_each_network():
    table = predictions.by_image({"b": sure_of(0, 2, 1, 2), "a": sure_of(1, 1, 1, 1)}, LABELS)
    assert list(table) == ["image", "label", "b", "a"]
    assert table.to_numpy().tolist() == [[0, 0, 0, 1], [1, 0, 2, 1], [2, 1, 1, 1], [3, 2, 2, 1]]


def test_the_cells_of_all_matrices_are_in_one_table_with_their_shares():
    matrices = {"b": torch.tensor([[3, 1], [0, 0]]), "a": torch.tensor([[0, 2], [1, 1]])}
    expected = """
        net  true  predicted  images  share
        b     cat        cat       3   0.75
        b     cat        dog       1   0.25
        b     dog        cat       0   0.0
        b     dog        dog       0   0.0
        a     cat        cat       0   0.0
        a     cat        dog       2   1.0
        a     dog        cat       1   0.5
        a     dog        dog       1   0.5
    """
    assert_table(predictions.confusion_cells(matrices, ["cat", "dog"]), expected)


def test_confusions_and_class_accuracies_agree_with_scikit_learn():
    labels, logits = random_case()
    outputs = {"net1": logits, "net2": -logits}
    matrices = predictions.confusions(outputs, labels, 10)
    table = predictions.class_accuracies(matrices, "abcdefghij")
    assert list(table) == ["class", "net1", "net2"]
    assert table["class"].tolist() == list("abcdefghij")
    for net, output in outputs.items():
        predicted = output.argmax(1)
        theirs = oracle.confusion_matrix(labels, predicted, labels=range(10))
        assert matrices[net].tolist() == theirs.tolist()
        every = {"labels": range(10), "average": None, "zero_division": 0}
        recall = oracle.recall_score(labels, predicted, **every)
        assert table[net].tolist() == pytest.approx(recall.tolist())


def test_a_labeled_confusion_matrix_has_true_classes_in_rows():
    table = metrics.labeled(torch.tensor([[5, 1, 0], [2, 6, 3], [0, 4, 7]]), CLASSES)
    assert list(table) == ["true", *CLASSES]
    assert table.to_numpy().tolist() == [["cat", 5, 1, 0], ["dog", 2, 6, 3], ["ship", 0, 4, 7]]


def test_the_study_s_sample_is_the_first_four_images_of_each_batch():
    labels = torch.tensor([0, 0, 1, 1] + [0] * 124 + [1, 1])
    right = torch.tensor([1, 0, 1, 1] + [0] * 83 + [1] * 41 + [1, 0], dtype=torch.bool)
    logits = sure_of(*torch.where(right, labels, 1 - labels).tolist())
    table = predictions.class_sample("net1", logits, labels, CLASSES)
    # images 0 to 3 of the first batch, and the two of the second
    expected = """
        net   class  sampled_images  sampled_accuracy  accuracy  difference_points
        net1  cat                 2              0.50  0.3333333333      16.66666667
        net1  dog                 4              0.75  0.75               0.0
        net1  ship                0               nan  nan                nan
    """
    assert_table(table, expected)


def test_the_study_s_sample_has_316_of_ten_thousand_images():
    table = predictions.class_sample("net1", *reversed(random_case(10_000)), "abcdefghij")
    assert table["sampled_images"].sum() == 316


def test_misclassified_lists_the_surest_mistakes_first():
    eighths = torch.tensor([[2.0, 4, 2], [6, 1, 1], [2, 0, 6], [4, 2, 2]])
    expected = """
        image  true  predicted  confidence
            2  dog   ship             0.75
            0  cat   dog              0.50
            3  ship  cat              0.50
    """
    found = predictions.misclassified((eighths / 8).log(), LABELS, CLASSES)
    assert_table(found, expected)


def test_equally_sure_mistakes_stay_in_the_order_of_the_images():
    labels = torch.zeros(300, dtype=torch.int64)
    sureness = torch.arange(300) % 3 + 1
    table = predictions.misclassified(sure_of(*[1] * 300) * sureness[:, None], labels, CLASSES)
    assert table["image"].tolist() == [*range(2, 300, 3), *range(1, 300, 3), *range(0, 300, 3)]


def test_misclassified_agrees_with_predictions_where_probabilities_are_equal():
    logits = torch.tensor([[1e-30, 2e-30]])
    assert predictions.by_image({"net": logits}, torch.tensor([1]))["net"].tolist() == [1]
    assert predictions.misclassified(logits, torch.tensor([1]), ("a", "b")).empty


def test_a_network_without_mistakes_has_an_empty_table_of_them():
    table = predictions.misclassified(sure_of(*LABELS.tolist()), LABELS, CLASSES)
    assert list(table) == ["image", "true", "predicted", "confidence"]
    assert table.empty
    assert predictions.commonest_pairs(table, pairs=3, images_per_pair=2) == []


def test_commonest_pairs_with_their_surest_images():
    labels = torch.tensor([1, 1, 1, 0, 0, 2, 2, 2])
    sureness = torch.tensor([1.0, 3.0, 2.0, 1.0, 2.0, 4.0, 3.0, 9.0])
    logits = sure_of(2, 2, 2, 1, 1, 0, 0, 2) * sureness[:, None]
    wrong = predictions.misclassified(logits, labels, CLASSES)
    # cats for dogs and ships for cats are equally common: by name, though the ships are surer
    assert predictions.commonest_pairs(wrong, pairs=2, images_per_pair=2) == [
        ("dog taken for ship (3)", [1, 2]),
        ("cat taken for dog (2)", [4, 3]),
    ]
    assert predictions.commonest_pairs(wrong, pairs=9, images_per_pair=9) == [
        ("dog taken for ship (3)", [1, 2, 0]),
        ("cat taken for dog (2)", [4, 3]),
        ("ship taken for cat (2)", [5, 6]),
    ]
