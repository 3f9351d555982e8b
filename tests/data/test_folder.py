import shutil
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.data import folder
from tests import toys

KINDS = ("png", "webp", "bmp")


def pictured(root, **classes):
    """A folder with so many pictures of each class, no two of them alike."""
    noise = np.random.default_rng(len(str(root.name)))
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for at in range(count):
            height, width = noise.integers(20, 50, 2)
            pixels = noise.integers(0, 256, (height, width, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{at}.{KINDS[at % 3]}", lossless=True)
    return root


def read(root, fraction=0.25, seed=0):
    """The data set of a folder, and what was said of it."""
    told = []
    return folder.read(root, fraction, seed, told.append), told


def refusal(root):
    """Why a folder is refused."""
    return toys.refusal(read, root)


def per_class(labels):
    return sorted(Counter(labels.tolist()).items())


def test_a_quarter_of_each_class_is_drawn_to_test_on(tmp_path):
    dataset, told = read(pictured(tmp_path, net10=8, net2=12, Net1=4))
    assert told == []
    assert dataset.classes == ("Net1", "net2", "net10")
    assert (dataset.groups, dataset.md5) == ({}, "")
    assert dataset.train_images.shape == (18, 3, 32, 32)
    assert per_class(dataset.train_labels) == [(0, 3), (1, 9), (2, 6)]
    assert per_class(dataset.test_labels) == [(0, 1), (1, 3), (2, 2)]


def test_the_first_so_many_images_hold_some_of_each_class(tmp_path):
    dataset, _ = read(pictured(tmp_path, a=8, b=16))
    assert per_class(dataset.train_labels[:9]) == [(0, 3), (1, 6)]
    assert per_class(dataset.test_labels[:3]) == [(0, 1), (1, 2)]


def test_a_class_has_an_image_in_each_part_whatever_the_fraction(tmp_path):
    root = pictured(tmp_path, a=2, b=30)
    for fraction in (0.01, 0.99):
        dataset, _ = read(root, fraction)
        assert min(count for _, count in per_class(dataset.train_labels)) >= 1
        assert [label for label, _ in per_class(dataset.test_labels)] == [0, 1]


def test_the_data_set_depends_on_the_seed_and_not_on_where_the_folder_lies(tmp_path):
    root = pictured(tmp_path / "here", a=10, b=10)
    (root / ".DS_Store").write_bytes(b"x")
    (root / "a" / ".hidden.png").write_bytes(b"x")
    first, told = read(root)
    moved = shutil.copytree(root, tmp_path / "else" / "where")
    again, _ = read(moved)
    assert told == []
    assert (again.fingerprint, again.url) == (first.fingerprint, first.url)
    assert read(root, seed=1)[0].fingerprint != first.fingerprint
    (root / "a").rename(root / "c")
    assert read(root)[0].fingerprint != first.fingerprint


def test_a_split_that_is_there_is_kept(tmp_path):
    pictured(tmp_path / "train", b=5, a=4)
    pictured(tmp_path / "test", a=1, b=2)
    pictured(tmp_path / "val", a=1)
    dataset, told = read(tmp_path)
    assert per_class(dataset.train_labels) == [(0, 4), (1, 5)]
    assert per_class(dataset.test_labels) == [(0, 1), (1, 2)]
    assert told == [f"val in {tmp_path} beside train and test: left out"]


def test_pictures_in_both_parts_and_other_files_are_told(tmp_path):
    train, test = pictured(tmp_path / "train", a=2, b=2), pictured(tmp_path / "test", a=1, b=1)
    shutil.copyfile(train / "b" / "0.png", test / "a" / "same.png")
    (tmp_path / "test" / "notes.txt").write_text("x")
    (train / "a" / "list.csv").write_text("x")
    _, (others, shared) = read(tmp_path)
    assert others.startswith("left out, since their names do not end in .png, ")
    assert others.endswith(" or .tiff: train/a/list.csv, test/notes.txt")
    assert shared.startswith("1 of the pictures to test on are among those to train on too")
    assert shared.endswith("test/a/same.png = train/b/0.png")


def test_all_damaged_files_are_named_at_once(tmp_path):
    root = pictured(tmp_path, a=8, b=8)
    (root / "a" / "0.png").write_bytes(b"")
    cut = (root / "b" / "3.png").read_bytes()
    (root / "b" / "3.png").write_bytes(cut[: len(cut) // 2])
    message = refusal(root)
    assert "cannot be read as pictures: " in message
    assert "a/0.png (empty)" in message
    assert "b/3.png" in message
    for at in range(8):
        (root / "a" / f"{at}.png").write_bytes(b"x")
    assert "and 4 more" in refusal(root)


@pytest.mark.parametrize(
    ("classes", "why"),
    [
        ({}, "holds 0 folders of pictures: it needs a folder for each class, 2 to 1,000"),
        ({"a": 3, "b": 0}, "b holds 0 pictures: it needs 2 or more"),
        ({"train": 3, "val": 3}, "holds train, val, which looks like a part"),
        ({"a": 3, "Lost": 3}, "a class cannot be called 'Lost'"),
        ({"a": 3, "b" * 61: 3}, "names have up to 60 printable characters"),
    ],
)
def test_what_a_folder_must_hold(tmp_path, classes, why):
    message = refusal(pictured(tmp_path, **classes))
    assert message.startswith("params.yaml: data.path: ")
    assert why in message
    assert "\n" not in message


def test_progress_counts_all_pictures(tmp_path):
    seen = []
    root = pictured(tmp_path, a=2, b=3)
    folder.read(root, 0.5, 0, seen.append, lambda done, total: seen.append((done, total)))
    assert seen == [(done, 5) for done in range(1, 6)]


def test_pixels_are_those_of_the_files(tmp_path):
    for name, shade in (("dark", 10), ("light", 200)):
        (tmp_path / name).mkdir()
        for at in range(2):
            Image.new("L", (32, 32), shade + at).save(tmp_path / name / f"{at}.png")
    dataset, _ = read(tmp_path, 0.5)
    both = torch.cat([dataset.train_images, dataset.test_images]).float().mean((1, 2, 3))
    labels = torch.cat([dataset.train_labels, dataset.test_labels])
    assert sorted(both[labels == 0].tolist()) == [10, 11]
    assert sorted(both[labels == 1].tolist()) == [200, 201]
