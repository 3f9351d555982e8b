from dataclasses import replace

import numpy as np
import pytest
import torch

from convscope.base import tensors
from convscope.base.errors import UserError
from convscope.data import datasets
from convscope.data.datasets import DataSet

METADATA = {"classes": '["a", "b"]', "groups": '{"all": ["a", "b"]}', "url": "u", "md5": "m"}


def toy():
    images = torch.arange(5 * 3072).remainder(251).to(torch.uint8).reshape(5, 3, 32, 32)
    return DataSet(
        train_images=images[:3],
        train_labels=torch.tensor([1, 0, 1]),
        test_images=images[3:],
        test_labels=torch.tensor([0, 1]),
        classes=("a", "b"),
        groups={"all": ("a", "b")},
        url="u",
        md5="m",
    )


def assert_equal(one, other):
    torch.testing.assert_close(other.tensors(), one.tensors(), rtol=0, atol=0)
    assert (one.classes, one.groups) == (other.classes, other.groups)
    assert (one.url, one.md5) == (other.url, other.md5)


def test_head_takes_the_first_of_each_part():
    whole = toy()
    part = whole.head(2, 1)
    assert torch.equal(part.train_images, whole.train_images[:2])
    assert torch.equal(part.test_images, whole.test_images[:1])
    assert (part.train_labels.tolist(), part.test_labels.tolist()) == ([1, 0], [0])
    assert part.fingerprint != whole.fingerprint
    assert_equal(whole.head(None, 2), whole)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (4, None, "data.train_images is 4: take 1 to 3 images"),
        (None, 3, "data.test_images is 3: take 1 to 2 images"),
        (0, None, "data.train_images is 0: take 1 to 3 images"),
    ],
)
def test_a_head_of_more_or_less_than_there_is_is_refused(train, test, message):
    with pytest.raises(UserError, match=message):
        toy().head(train, test)


def test_to_moves_every_tensor():
    moved = toy().to(torch.device("meta"))
    assert [tensor.device.type for tensor in moved.tensors().values()] == ["meta"] * 4
    assert moved.classes == toy().classes


def test_what_is_saved_is_loaded_and_saved_again_the_same(tmp_path):
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    for dataset in (toy(), toy().head(1, 1)):
        datasets.save(dataset, one)
        datasets.save(datasets.load(one), other)
        assert_equal(datasets.load(one), dataset)
        assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size < 3 * 3072  # a head's own images only


def test_fingerprint_is_of_the_content_only(tmp_path):
    datasets.save(toy(), tmp_path / "toy.safetensors")
    # fixed: finished runs are recognized by it
    expected = "d4572c4f11a8bc26b9ddf18766ecae533907f0970044c66f6d3bee8dbd9944cf"
    assert datasets.load(tmp_path / "toy.safetensors").fingerprint == expected
    assert replace(toy(), url="elsewhere", md5="other").fingerprint == expected
    strided = toy().train_images.to(memory_format=torch.channels_last)
    assert replace(toy(), train_images=strided).fingerprint == expected
    assert replace(toy(), classes=("a", "c")).fingerprint != expected


@pytest.mark.parametrize("name", list(toy().tensors()))
def test_fingerprint_tells_every_tensor_apart(name):
    changed = toy().tensors()[name].clone()
    changed.view(-1)[-1] += 1
    other = DataSet(**(vars(toy()) | {name: changed}))
    assert other.fingerprint != toy().fingerprint


NO_LABELS = torch.zeros(0, dtype=torch.int64)
NO_IMAGES = torch.zeros(0, 3, 32, 32, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"train_images": torch.zeros(3, 3, 32, 32)}, "train_images is torch.float32"),
        ({"train_images": torch.zeros(3, 32, 32, 3, dtype=torch.uint8)}, r"\(3, 32, 32, 3\)"),
        ({"train_labels": torch.tensor([1, 0])}, r"train_labels is torch.int64 \(2,\)"),
        ({"test_labels": torch.tensor([1, 0], dtype=torch.int32)}, "test_labels is torch.int32"),
        ({"test_labels": torch.tensor([0, 2])}, r"test_labels has labels outside 0\.\.1"),
        ({"test_labels": torch.tensor([-1, 0])}, r"test_labels has labels outside 0\.\.1"),
        ({"test_labels": NO_LABELS, "test_images": NO_IMAGES}, r"test_labels is torch.int64 \(0,"),
        ({"test_labels": None}, "test_labels"),
        ({"more": torch.zeros(1)}, "more"),
        ({"classes": None}, "its header lacks 'classes'"),
        ({"url": None}, "its header lacks 'url'"),
        ({"classes": "[]"}, "it has no classes"),
        ({"classes": "[1, 2]"}, "its header has"),
        ({"classes": '"ab"'}, "its header has"),
        ({"classes": "[" * 100_000}, "recursion"),
        ({"classes": "["}, "Expecting value"),
        ({"groups": '{"all": ["z"]}'}, "its groups name unknown classes: .'z'."),
        ({"groups": "[]"}, "no attribute 'items'"),
    ],
)
def test_load_refuses_what_breaks_the_contract(tmp_path, change, why):
    path = tmp_path / "toy"
    content = {k: v for k, v in (toy().tensors() | METADATA | change).items() if v is not None}
    header = {k: content.pop(k) for k in METADATA if k in content}
    tensors.write_tensors(path, content, header)
    with pytest.raises(UserError, match=rf"{path} is damaged \(.*{why}.*convscope download"):
        datasets.load(path)


def test_stratified_part_by_hand():
    labels = torch.tensor([0] * 10 + [1] * 7 + [2] * 2 + [3]).flip(0)
    kept, held_out = datasets.stratified_part(labels, 0.3, seed=0)
    # 3.0, 2.1, 0.6 and 0.3 images, rounded
    assert labels[held_out].bincount(minlength=4).tolist() == [3, 2, 1, 0]
    assert sorted(torch.cat([kept, held_out]).tolist()) == list(range(20))
    assert all(part.tolist() == sorted(part.tolist()) for part in (kept, held_out))


def test_stratified_part_of_nothing_and_all():
    labels = torch.tensor([0, 1, 1])
    for fraction, kept, held_out in ((0, [0, 1, 2], []), (1, [], [0, 1, 2])):
        parts = datasets.stratified_part(labels, fraction, seed=0)
        assert [part.tolist() for part in parts] == [kept, held_out]
    with pytest.raises(ValueError, match=r"1\.5, outside 0\.\.1"):
        datasets.stratified_part(labels, 1.5, seed=0)


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


@pytest.mark.parametrize(
    "choose",
    [
        lambda labels, seed: datasets.stratified_part(labels, 0.2, seed)[1],
        lambda labels, seed: datasets.drawn_by_class(labels, 10, seed),
    ],
)
def test_what_is_drawn_depends_on_the_seed_alone(choose):
    labels = torch.arange(100) % 10
    state = torch.get_rng_state()
    first = choose(labels, 1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert torch.equal(choose(labels, 1), first)
    everywhere = torch.cat([choose(labels, seed) for seed in range(60)])
    assert set(everywhere.tolist()) == set(range(100))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_to_unit(memory_format):
    images = toy().train_images.clone(memory_format=memory_format)
    before = images.clone()
    unit = datasets.to_unit(images)
    assert unit.dtype == torch.float32
    assert unit.stride() == images.stride()
    np.testing.assert_array_equal(unit.numpy(), before.numpy() / np.float32(255))
    assert torch.equal(images, before)
    ends = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(datasets.to_unit(ends), torch.tensor([0, 0.2, 1]))
