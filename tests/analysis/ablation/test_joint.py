from collections import OrderedDict

import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal
from sklearn import metrics as oracle
from torch import nn

from convscope.analysis.ablation.joint import Comparison, ablated
from convscope.nets.inference import logits

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
GROUPS = {
    "animals": ("bird", "cat", "deer", "dog", "frog", "horse"),
    "vehicles": ("plane", "car", "ship", "truck"),
}
# study, part 2.2.2: the printed matrices
BEFORE = torch.tensor(
    [
        [913, 4, 13, 10, 6, 1, 4, 3, 36, 10],
        [4, 938, 1, 3, 1, 2, 3, 1, 9, 38],
        [31, 0, 830, 32, 38, 31, 24, 9, 3, 2],
        [6, 1, 24, 790, 29, 102, 25, 11, 6, 6],
        [7, 0, 10, 16, 922, 17, 14, 11, 2, 1],
        [1, 2, 10, 61, 26, 869, 8, 17, 3, 3],
        [4, 0, 15, 15, 14, 4, 943, 3, 2, 0],
        [6, 0, 7, 16, 33, 22, 4, 904, 0, 8],
        [34, 4, 4, 2, 0, 1, 1, 3, 941, 10],
        [13, 26, 1, 6, 1, 0, 2, 1, 14, 936],
    ]
)
AFTER = torch.tensor(
    [
        [860, 2, 21, 45, 21, 6, 13, 16, 9, 7],
        [11, 904, 2, 19, 6, 8, 16, 6, 6, 22],
        [22, 0, 812, 40, 43, 38, 25, 19, 1, 0],
        [2, 1, 17, 806, 22, 111, 25, 16, 0, 0],
        [2, 0, 11, 31, 897, 27, 14, 18, 0, 0],
        [1, 0, 10, 75, 22, 875, 3, 14, 0, 0],
        [2, 0, 16, 32, 11, 11, 924, 4, 0, 0],
        [3, 0, 3, 22, 19, 35, 2, 916, 0, 0],
        [59, 5, 8, 33, 17, 10, 25, 5, 827, 11],
        [9, 39, 3, 34, 4, 11, 11, 8, 8, 873],
    ]
)


@pytest.fixture
def toy() -> nn.Sequential:
    """Two 1x1 filters, 2 r + 0.25 and g + 0.5, whose sums over 2x2 pixels are the two logits."""
    net = nn.Sequential(
        OrderedDict(conv1=nn.Conv2d(3, 2, 1), flatten=nn.Flatten(), fc1=nn.Linear(8, 2))
    )
    with torch.no_grad():
        net.conv1.weight[:] = torch.tensor([[2.0, 0, 0], [0, 1, 0]])[..., None, None]
        net.conv1.bias[:] = torch.tensor([0.25, 0.5])
        net.fc1.weight[:] = torch.tensor([[1.0] * 4 + [0.0] * 4, [0.0] * 4 + [1.0] * 4])
        net.fc1.bias[:] = 0
    return net


def sure_of(*predictions: int) -> torch.Tensor:
    """Logits that say these of three classes."""
    return torch.nn.functional.one_hot(torch.tensor(predictions), 3).float()


def predictions_of(confusion: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels and one-hot logits of images that give this confusion matrix."""
    cells = torch.cartesian_prod(torch.arange(10), torch.arange(10))
    labels, predictions = cells.repeat_interleave(confusion.flatten(), dim=0).T
    return labels, torch.nn.functional.one_hot(predictions, 10).float()


@pytest.fixture
def found() -> Comparison:
    """Eight images by hand."""
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    before, after = sure_of(0, 0, 0, 2, 1, 1, 2, 1), sure_of(1, 0, 2, 2, 1, 0, 2, 2)
    return Comparison(labels, before, after, ("bird", "car", "cat"))


@pytest.fixture
def published() -> Comparison:
    """The study's own matrices, each as 10,000 images with the same labels."""
    labels, before = predictions_of(BEFORE)
    return Comparison(labels, before, predictions_of(AFTER)[1], CLASSES)


def test_ablation_zeroes_the_weights_and_keeps_the_bias(toy: nn.Sequential) -> None:
    white = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert logits(toy, white).tolist() == [[9.0, 6.0]]
    # 4 pixels of bias 0.25 are left of filter 0, and of bias 0.5 of filter 1
    assert logits(ablated(toy, {"conv1": [0]}), white).tolist() == [[1.0, 6.0]]
    assert logits(ablated(toy, {"conv1": [1]}), white).tolist() == [[9.0, 2.0]]
    assert logits(ablated(toy, {"conv1": [0, 1]}), white).tolist() == [[1.0, 2.0]]


def test_ablation_leaves_the_original_as_it_was(toy: nn.Sequential) -> None:
    toy.train()
    state = {name: value.clone() for name, value in toy.state_dict().items()}
    changed = ablated(toy, {"conv1": [0]})
    assert changed.training
    assert toy.training
    assert all(torch.equal(value, state[name]) for name, value in toy.state_dict().items())
    assert not torch.equal(changed.state_dict()["conv1.weight"], state["conv1.weight"])


def test_ablating_nothing_or_a_zero_filter_changes_nothing(toy: nn.Sequential) -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (8, 3, 2, 2), dtype=torch.uint8, generator=generator)
    assert torch.equal(logits(ablated(toy, {}), images), logits(toy, images))
    assert torch.equal(logits(ablated(toy, {"conv1": []}), images), logits(toy, images))
    with torch.no_grad():
        toy.conv1.weight[1] = 0
    assert torch.equal(logits(ablated(toy, {"conv1": [1]}), images), logits(toy, images))


def test_what_the_network_does_not_have_is_refused(toy: nn.Sequential) -> None:
    with pytest.raises(ValueError, match="conv1 has no filter 2: choose from 0 to 1"):
        ablated(toy, {"conv1": [0, 2]})


def test_matrices_of_eight_images_by_hand(found: Comparison) -> None:
    assert {name: cells.tolist() for name, cells in found.confusion().items()} == {
        "before": [[3, 0, 1], [0, 2, 0], [0, 1, 1]],
        "after": [[1, 1, 2], [1, 1, 0], [0, 0, 2]],
        "difference": [[2, -1, -1], [-1, 1, 0], [0, 1, -1]],
    }


def test_class_accuracy_in_percent_and_overall(found: Comparison) -> None:
    expected = {
        "class": ["bird", "car", "cat", "overall"],
        "before_percent": [75.0, 100.0, 50.0, 75.0],
        "after_percent": [25.0, 50.0, 100.0, 50.0],
        "drop_points": [50.0, 50.0, -50.0, 25.0],
    }
    assert_frame_equal(found.class_accuracy(), pd.DataFrame(expected))


def test_headlines_are_few_and_plain_numbers(found: Comparison) -> None:
    assert found.headlines() == {
        "accuracy_before": 0.75,
        "accuracy_after": 0.5,
        "drop_points": 25.0,
        "newly_misclassified": 3.0,
    }


def test_newly_misclassified_images_were_right_before(found: Comparison) -> None:
    expected = {
        "image": [0, 2, 5],
        "true": ["bird", "bird", "car"],
        "predicted": ["car", "cat", "bird"],
    }
    assert_frame_equal(found.newly_misclassified(), pd.DataFrame(expected))


def test_an_ablation_without_harm_gives_a_table_without_rows(found: Comparison) -> None:
    unharmed = Comparison(found.labels, found.before, found.before, found.classes)
    table = unharmed.newly_misclassified()
    assert list(table) == ["image", "true", "predicted"]
    assert table.empty


def test_the_study_s_own_matrices_give_its_findings(published: Comparison) -> None:
    matrices = published.confusion()
    assert torch.equal(matrices["before"], BEFORE)
    assert torch.equal(matrices["after"], AFTER)
    headlines = published.headlines()
    assert round(100 * headlines["accuracy_before"], 2) == 89.86
    assert round(100 * headlines["accuracy_after"], 2) == 86.94
    lost = dict(zip(CLASSES, matrices["difference"].diagonal().tolist(), strict=True))
    assert [lost[name] for name in ("ship", "truck", "plane", "car")] == [114, 63, 53, 34]


def test_confusion_and_class_accuracy_agree_with_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(0, 10, (300,), generator=generator)
    before, after = torch.randn(2, 300, 10, generator=generator)
    found = Comparison(labels, before, after, CLASSES)
    matrices, table = found.confusion(), found.class_accuracy()
    for name, outputs in (("before", before), ("after", after)):
        predicted = outputs.argmax(1)
        confusion = oracle.confusion_matrix(labels, predicted, labels=range(10))
        assert matrices[name].tolist() == confusion.tolist()
        recall = oracle.recall_score(labels, predicted, average=None)
        overall = oracle.accuracy_score(labels, predicted)
        expected = pytest.approx([*(100 * recall), 100 * overall])
        assert table[f"{name}_percent"].tolist() == expected


def test_errors_between_and_within_groups(found: Comparison) -> None:
    groups = {"animals": ("bird", "cat"), "vehicles": ("car",)}
    expected = {
        "true": ["animals", "animals", "vehicles", "vehicles"],
        "predicted": ["animals", "vehicles", "animals", "vehicles"],
        "before": [1, 1, 0, 0],
        "after": [2, 1, 1, 0],
    }
    assert_frame_equal(found.between_groups(groups), pd.DataFrame(expected))


def test_the_study_s_vehicles_are_taken_for_animals_after_ablation(published: Comparison) -> None:
    table = published.between_groups(GROUPS).set_index(["true", "predicted"])
    assert table.loc[("vehicles", "animals")].tolist() == [70, 348]
    assert table.loc[("animals", "vehicles")].tolist() == [94, 34]
    assert table["before"].sum() == 10_000 - 8986


def test_data_without_groups_gives_a_table_without_rows(found: Comparison) -> None:
    table = found.between_groups({})
    assert list(table) == ["true", "predicted", "before", "after"]
    assert table.empty
