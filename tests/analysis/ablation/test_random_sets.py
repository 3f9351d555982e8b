import pytest
import torch

from convscope.analysis.ablation import random_sets
from convscope.analysis.ablation.joint import Comparison, ablated
from convscope.base import metrics
from convscope.data.cifar import CLASSES, GROUPS
from convscope.nets import zoo
from convscope.nets.inference import logits
from tests.toys import left_alone, noise

LIKE = {"conv1": [0, 1], "conv3": [0, 1], "conv2": [5]}


def net():
    torch.manual_seed(3)
    return zoo.build("net4", l1_oc=6)


def test_sets_have_as_many_filters_of_each_layer_and_none_twice():
    sets = random_sets.draw(net(), LIKE)
    assert len(sets) == 50
    for drawn in sets:
        assert {layer: len({*numbers}) for layer, numbers in drawn.items()} == {
            "conv1": 2,
            "conv3": 2,
            "conv2": 1,
        }
    # every filter has its turn, up to the last of the layer
    assert {number for drawn in sets for number in drawn["conv1"]} == {*range(6)}
    assert max(number for drawn in sets for number in drawn["conv3"]) == 11


def test_the_same_seed_draws_the_same_sets():
    first = random_sets.draw(net(), LIKE, 5)
    assert random_sets.draw(net(), LIKE, 5) == first
    assert random_sets.draw(net(), LIKE, 50)[:5] == first
    assert random_sets.draw(net(), LIKE, 5, seed=1) != first


def test_each_set_costs_what_it_costs_when_it_is_ablated_by_itself():
    module, images = net(), noise(30)
    labels = torch.arange(30) % 10
    before, seen = logits(module, images), []
    intact = Comparison(labels, before, before, CLASSES)
    most = CLASSES[int(before.argmax(1).mode().values)]  # what it takes most images for
    sets = [{"conv1": range(6)}, *random_sets.draw(module, LIKE, 2)]
    with left_alone(module):
        table = random_sets.costs(
            module,
            sets,
            images,
            intact,
            GROUPS,
            [("cat", most)],
            lambda *done: seen.append(done),
        )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert table["set"].tolist() == [1, 2, 3]
    assert table["filters"][0] == "conv1/0 conv1/1 conv1/2 conv1/3 conv1/4 conv1/5"
    for row, chosen in zip(table.itertuples(), sets, strict=True):
        after = logits(ablated(module, chosen), images)
        assert row.accuracy_percent == 100 * metrics.accuracy(after, labels)
        drop = 100 * (metrics.accuracy(before, labels) - metrics.accuracy(after, labels))
        assert row.drop_points == drop
        animals = torch.tensor([CLASSES.index(name) for name in GROUPS["animals"]])
        vehicles, taken = ~torch.isin(labels, animals), torch.isin(after.argmax(1), animals)
        assert row.vehicles_as_animals == int((vehicles & taken).sum())
        assert row.animals_as_vehicles == int((~vehicles & ~taken).sum())
        right = {when: each.argmax(1) == labels for when, each in (("a", after), ("b", before))}
        lost = [
            100
            * float(
                right["b"][labels == c].double().mean() - right["a"][labels == c].double().mean()
            )
            for c in (CLASSES.index(name) for name in GROUPS["vehicles"])
        ]
        assert row.vehicles_drop_points == pytest.approx(sum(lost) / len(lost))
        cat, other = CLASSES.index("cat"), CLASSES.index(most)
        mixed = [(labels == a) & (after.argmax(1) == b) for a, b in ((cat, other), (other, cat))]
        assert getattr(row, f"cat_{most}_mixed_up") == int(mixed[0].sum() + mixed[1].sum())
    assert table[f"cat_{most}_mixed_up"].any()


def test_data_without_groups_have_no_such_columns():
    module, images = net(), noise(4)
    before = logits(module, images)
    intact = Comparison(torch.arange(4), before, before, CLASSES)
    table = random_sets.costs(module, random_sets.draw(module, LIKE, 2), images, intact, {})
    assert [*table] == ["set", "filters", "accuracy_percent", "drop_points"]
