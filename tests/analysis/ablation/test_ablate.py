from collections import OrderedDict

import pytest
import torch
from sklearn.metrics import confusion_matrix as sklearn_confusion
from torch import nn

from convscope.analysis.ablation.ablate import ablated, between_groups, compare
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


def one_hot(predictions: list[int], classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(predictions), classes).float()


def predictions_of(confusion: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels and one-hot logits of images that give this confusion matrix."""
    cells = torch.cartesian_prod(torch.arange(10), torch.arange(10))
    labels, predictions = cells.repeat_interleave(confusion.flatten(), dim=0).T
    return labels, torch.nn.functional.one_hot(predictions, 10).float()


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


def test_comparison_of_six_images_by_hand() -> None:
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    before = one_hot([0, 0, 1, 0, 2, 1], 3)
    after = one_hot([0, 1, 0, 1, 2, 0], 3)
    found = compare(labels, before, after, ("bird", "car", "cat"))
    assert found.classes == ("bird", "car", "cat")
    assert found.accuracy_before == pytest.approx(4 / 6)
    assert found.accuracy_after == pytest.approx(3 / 6)
    assert found.class_accuracy_before.tolist() == [1.0, 0.5, 0.5]
    assert found.class_accuracy_after.tolist() == [0.5, 0.5, 0.5]
    assert found.confusion_before.tolist() == [[2, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert found.confusion_after.tolist() == [[1, 1, 0], [1, 1, 0], [1, 0, 1]]
    assert found.difference.tolist() == [[1, -1, 0], [0, 0, 0], [-1, 1, 0]]
    assert found.newly_misclassified.tolist() == [1, 2]


def test_the_study_s_own_matrices_give_its_findings() -> None:
    labels, before = predictions_of(BEFORE)
    _, after = predictions_of(AFTER)
    found = compare(labels, before, after, CLASSES)
    assert torch.equal(found.confusion_before, BEFORE)
    assert torch.equal(found.confusion_after, AFTER)
    assert (round(100 * found.accuracy_before, 2), round(100 * found.accuracy_after, 2)) == (
        89.86,
        86.94,
    )
    lost = dict(zip(CLASSES, found.difference.diagonal().tolist(), strict=True))
    assert [lost[name] for name in ("ship", "truck", "plane", "car")] == [114, 63, 53, 34]


def test_confusion_agrees_with_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(0, 10, (300,), generator=generator)
    before = torch.randn(300, 10, generator=generator)
    after = torch.randn(300, 10, generator=generator)
    found = compare(labels, before, after, CLASSES)
    for confusion, outputs in ((found.confusion_before, before), (found.confusion_after, after)):
        oracle = sklearn_confusion(labels, outputs.argmax(1), labels=range(10))
        assert confusion.tolist() == oracle.tolist()


def test_errors_between_and_within_groups() -> None:
    classes = ("bird", "car", "cat")
    confusion = torch.tensor([[50, 1, 2], [4, 60, 8], [16, 32, 70]])
    groups = {"animals": ("bird", "cat"), "vehicles": ("car",)}
    assert between_groups(confusion, groups, classes) == {
        ("animals", "animals"): 18,
        ("animals", "vehicles"): 33,
        ("vehicles", "animals"): 12,
        ("vehicles", "vehicles"): 0,
    }


def test_the_study_s_vehicles_are_taken_for_animals_after_ablation() -> None:
    before = between_groups(BEFORE, GROUPS, CLASSES)
    after = between_groups(AFTER, GROUPS, CLASSES)
    assert (before["vehicles", "animals"], after["vehicles", "animals"]) == (70, 348)
    assert (before["animals", "vehicles"], after["animals", "vehicles"]) == (94, 34)
    assert sum(before.values()) == 10_000 - 8986


def test_data_without_groups_has_no_group_errors() -> None:
    assert between_groups(BEFORE, {}, CLASSES) == {}
