import pytest
import torch

from convscope.data import datasets


@pytest.mark.parametrize(
    ("count", "drawn"),
    [(3, [1, 1, 1]), (4, [2, 1, 1]), (6, [2, 2, 2]), (8, [3, 2, 3]), (15, [7, 2, 6])],
)
def test_draws_are_even_until_a_class_is_used_up(count, drawn):
    labels = torch.tensor([2] * 9 + [0] * 9 + [1] * 2)
    chosen = datasets.drawn_by_class(labels, count, seed=3)
    assert labels[chosen].bincount(minlength=3).tolist() == drawn
    assert chosen.tolist() == sorted(set(chosen.tolist()), key=lambda i: (int(labels[i]), i))


def test_draws_beyond_the_images_take_all_of_them():
    labels = torch.tensor([1, 0, 1, 0])
    assert datasets.drawn_by_class(labels, 9, seed=0).tolist() == [1, 3, 0, 2]


def test_draws_depend_on_their_seed_alone():
    labels = torch.arange(100) % 10
    state = torch.get_rng_state()
    first = datasets.drawn_by_class(labels, 10, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert torch.equal(datasets.drawn_by_class(labels, 10, seed=1), first)
    everywhere = torch.cat([datasets.drawn_by_class(labels, 10, seed) for seed in range(60)])
    assert set(everywhere.tolist()) == set(range(100))
