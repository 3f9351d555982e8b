import pytest
import torch

from convscope.analysis.ablation.joint import Comparison, ablated
from convscope.data.cifar import CLASSES, GROUPS
from convscope.nets.inference import logits
from convscope.study.published.study import study
from tests.toys import assert_table, left_alone, noise, sure_of

BEFORE, AFTER = (
    torch.tensor(study()["filter_ablation"][f"confusion_{when}"]) for when in ("before", "after")
)


def predictions_of(confusion):
    """Labels and one-hot logits of images that give this confusion matrix."""
    cells = torch.cartesian_prod(torch.arange(10), torch.arange(10))
    labels, predictions = cells.repeat_interleave(confusion.flatten(), dim=0).T
    return labels, sure_of(*predictions, classes=10)


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


@pytest.mark.parametrize(
    ("filters", "expected"),
    [([], [5, 4, 2]), ([0], [1, 4, 2]), ([1], [5, 0, 2]), ([0, 1], [1, 0, 2])],
)
def test_ablation_zeroes_the_weights_and_keeps_the_bias(red_and_green, filters, expected):
    white = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    # 4 pixels of bias 0.25 are left of filter 0, and of bias 0.5 of filter 1
    assert logits(ablated(red_and_green, {"conv1": filters}), white).tolist() == [expected]


def test_ablation_leaves_the_original_as_it_was(red_and_green):
    with left_alone(red_and_green.train()):
        changed = ablated(red_and_green, {"conv1": [0]})
    assert changed.training
    assert not torch.equal(changed.conv1.weight, red_and_green.conv1.weight)


@pytest.mark.parametrize("filters", [{}, {"conv1": []}, {"conv1": [1]}])
def test_ablating_nothing_or_a_zero_filter_changes_nothing(red_and_green, filters):
    with torch.no_grad():
        red_and_green.conv1.weight[1] = 0
    images = noise(8, size=2)
    expected = logits(red_and_green, images)
    assert torch.equal(logits(ablated(red_and_green, filters), images), expected)


def test_what_the_network_does_not_have_is_refused(red_and_green):
    with pytest.raises(ValueError, match="conv1 has no filter 2: choose from 0 to 1"):
        ablated(red_and_green, {"conv1": [0, 2]})


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
