from collections import OrderedDict

import pytest
import torch
from sklearn import metrics as oracle
from torch import nn

from convscope.analysis.ablation.joint import Comparison, ablated
from convscope.nets.inference import logits
from convscope.study.published.study import study
from tests.toys import assert_table

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
GROUPS = {
    "animals": ("bird", "cat", "deer", "dog", "frog", "horse"),
    "vehicles": ("plane", "car", "ship", "truck"),
}
BEFORE, AFTER = (
    torch.tensor(study()["filter_ablation"][f"confusion_{when}"]) for when in ("before", "after")
)


@pytest.fixture
def toy():
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


def sure_of(*predictions):
    """Logits that say these of three classes."""
    return torch.nn.functional.one_hot(torch.tensor(predictions), 3).float()


def predictions_of(confusion):
    """Labels and one-hot logits of images that give this confusion matrix."""
    cells = torch.cartesian_prod(torch.arange(10), torch.arange(10))
    labels, predictions = cells.repeat_interleave(confusion.flatten(), dim=0).T
    return labels, torch.nn.functional.one_hot(predictions, 10).float()


@pytest.fixture
def found():
    """Eight images by hand."""
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    before, after = sure_of(0, 0, 0, 2, 1, 1, 2, 1), sure_of(1, 0, 2, 2, 1, 0, 2, 2)
    return Comparison(labels, before, after, ("bird", "car", "cat"))


@pytest.fixture
def published():
    """The study's own matrices, each as 10,000 images with the same labels."""
    labels, before = predictions_of(BEFORE)
    return Comparison(labels, before, predictions_of(AFTER)[1], CLASSES)


def test_ablation_zeroes_the_weights_and_keeps_the_bias(toy):
    white = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert logits(toy, white).tolist() == [[9.0, 6.0]]
    # 4 pixels of bias 0.25 are left of filter 0, and of bias 0.5 of filter 1
    assert logits(ablated(toy, {"conv1": [0]}), white).tolist() == [[1.0, 6.0]]
    assert logits(ablated(toy, {"conv1": [1]}), white).tolist() == [[9.0, 2.0]]
    assert logits(ablated(toy, {"conv1": [0, 1]}), white).tolist() == [[1.0, 2.0]]


def test_ablation_leaves_the_original_as_it_was(toy):
    toy.train()
    state = {name: value.clone() for name, value in toy.state_dict().items()}
    changed = ablated(toy, {"conv1": [0]})
    assert changed.training
    assert toy.training
    assert all(torch.equal(value, state[name]) for name, value in toy.state_dict().items())
    assert not torch.equal(changed.state_dict()["conv1.weight"], state["conv1.weight"])


def test_ablating_nothing_or_a_zero_filter_changes_nothing(toy):
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (8, 3, 2, 2), dtype=torch.uint8, generator=generator)
    assert torch.equal(logits(ablated(toy, {}), images), logits(toy, images))
    assert torch.equal(logits(ablated(toy, {"conv1": []}), images), logits(toy, images))
    with torch.no_grad():
        toy.conv1.weight[1] = 0
    assert torch.equal(logits(ablated(toy, {"conv1": [1]}), images), logits(toy, images))


def test_what_the_network_does_not_have_is_refused(toy):
    with pytest.raises(ValueError, match="conv1 has no filter 2: choose from 0 to 1"):
        ablated(toy, {"conv1": [0, 2]})


def test_matrices_of_eight_images_by_hand(found):
    assert {name: cells.tolist() for name, cells in found.confusion().items()} == {
        "before": [[3, 0, 1], [0, 2, 0], [0, 1, 1]],
        "after": [[1, 1, 2], [1, 1, 0], [0, 0, 2]],
        "difference": [[2, -1, -1], [-1, 1, 0], [0, 1, -1]],
    }


def test_class_accuracy_in_percent_and_overall(found):
    expected = """
        class    before_percent  after_percent  drop_points
        bird               75.0           25.0         50.0
        car               100.0           50.0         50.0
        cat                50.0          100.0        -50.0
        overall            75.0           50.0         25.0
    """
    assert_table(found.class_accuracy(), expected)


def test_headlines_are_few_and_plain_numbers(found):
    assert found.headlines() == {
        "accuracy_before": 0.75,
        "accuracy_after": 0.5,
        "drop_points": 25.0,
        "newly_misclassified": 3.0,
    }


def test_newly_misclassified_images_were_right_before(found):
    rows = list(found.newly_misclassified().itertuples(index=False, name=None))
    assert rows == [(0, "bird", "car"), (2, "bird", "cat"), (5, "car", "bird")]


def test_the_study_s_own_matrices_give_its_findings(published):
    matrices = published.confusion()
    assert torch.equal(matrices["before"], BEFORE)
    assert torch.equal(matrices["after"], AFTER)
    headlines = published.headlines()
    assert round(100 * headlines["accuracy_before"], 2) == 89.86
    assert round(100 * headlines["accuracy_after"], 2) == 86.94
    lost = dict(zip(CLASSES, matrices["difference"].diagonal().tolist(), strict=True))
    assert [lost[name] for name in ("ship", "truck", "plane", "car")] == [114, 63, 53, 34]


def test_confusion_and_class_accuracy_agree_with_scikit_learn():
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


def test_errors_between_and_within_groups(found):
    groups = {"animals": ("bird", "cat"), "vehicles": ("car",)}
    expected = """
        true      predicted  before  after
        animals   animals         1      2
        animals   vehicles        1      1
        vehicles  animals         0      1
        vehicles  vehicles        0      0
    """
    assert_table(found.between_groups(groups), expected)


def test_the_study_s_vehicles_are_taken_for_animals_after_ablation(published):
    table = published.between_groups(GROUPS).set_index(["true", "predicted"])
    assert table.loc[("vehicles", "animals")].tolist() == [70, 348]
    assert table.loc[("animals", "vehicles")].tolist() == [94, 34]
    assert table["before"].sum() == 10_000 - 8986


def test_without_harm_or_groups_tables_have_no_rows(found):
    lost = Comparison(found.labels, found.before, found.before, found.classes).newly_misclassified()
    assert (list(lost), len(lost)) == (["image", "true", "predicted"], 0)
    errors = found.between_groups({})
    assert (list(errors), len(errors)) == (["true", "predicted", "before", "after"], 0)
