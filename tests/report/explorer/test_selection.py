import pytest
import torch
from tests import toys
from tests.report.explorer import folders

from convscope.report.explorer.selection import (
    DRAWN,
    MAPPED,
    NEWLY_WRONG,
    SURE,
    TOP,
    WRONG,
    choose,
)

# of 30 images a class takes turns; image 0 is the surest, image 29 the least sure
LABELS = torch.arange(30) % 3
CONFIDENCE = torch.linspace(9, 1, 30)
# these are wrong
MISTAKEN = torch.tensor([1, 6, 17, 28])


@pytest.fixture
def analyses(tmp_path):
    return folders.write(tmp_path)


@pytest.fixture
def logits():
    predicted = LABELS.clone()
    predicted[MISTAKEN] = (predicted[MISTAKEN] + 1) % 3
    return torch.nn.functional.one_hot(predicted, 3) * CONFIDENCE[:, None]


def test_all_images_have_their_reasons_and_those_of_the_analyses_come_first(logits, analyses):
    found = choose(1000, logits, LABELS, analyses)
    assert sorted(found) == list(range(30))
    # mapped; top images up to the rank that is shown; newly wrong, by class in turn: 11, 20 of
    # class 2, 7, 4 of class 1
    assert list(found)[:8] == [7, 2, 5, 9, 25, 26, 11, 4]
    assert 13 not in list(found)[:8]
    assert found[7] == [MAPPED, NEWLY_WRONG, SURE]
    assert found[2] == [MAPPED, TOP, SURE]
    assert found[5] == [TOP, SURE]
    # four of each class, the surest first
    sure = {image for image, why in found.items() if SURE in why}
    assert sure == {0, 3, 9, 12, 4, 7, 10, 13, 2, 5, 8, 11}
    assert {image for image, why in found.items() if WRONG in why} == set(MISTAKEN.tolist())
    assert {image for image, why in found.items() if NEWLY_WRONG in why} == {11, 20, 7, 4}
    # chance is the reason of those without another
    for why in found.values():
        assert why == [DRAWN] or DRAWN not in why
        assert why


def test_a_class_has_no_more_than_four_newly_wrong(logits, tmp_path):
    table = "image\n" + "".join(f"{image}\n" for image in range(27, -1, -3)) + "1\n"
    found = choose(30, logits, LABELS, folders.write(tmp_path, newly_misclassified=table))
    assert {image for image, why in found.items() if NEWLY_WRONG in why} == {27, 24, 21, 18, 1}


@pytest.mark.parametrize("count", [1, 2, 8, 20, 29, 30])
def test_there_are_as_many_as_asked_for(count, logits, analyses):
    found = choose(count, logits, LABELS, analyses)
    assert len(found) == count
    every = list(choose(30, logits, LABELS, analyses))
    assert list(found) == every[:count]


def test_those_that_are_drawn_are_of_all_classes_though_there_are_more_of_one(analyses):
    labels = torch.tensor([0] * 240 + [1] * 30 + [2] * 30)
    logits = torch.nn.functional.one_hot(labels, 3).float()
    found = choose(70, logits, labels, analyses)
    drawn = [int(labels[image]) for image, why in found.items() if why == [DRAWN]]
    assert len(drawn) > 45
    assert all(drawn.count(label) >= len(drawn) / 4 for label in range(3))


def test_the_same_images_twice(logits, analyses):
    assert list(choose(20, logits, LABELS, analyses).items()) == list(
        choose(20, logits, LABELS, analyses).items()
    )


def test_of_filters_of_which_nothing_was_shown_the_first_image_counts(logits, tmp_path):
    without = folders.write(tmp_path, params={"filter_identify": {"shown": None}})
    found = choose(30, logits, LABELS, without)
    assert {image for image, why in found.items() if TOP in why} == {9, 25}


@pytest.mark.parametrize("image", ["30", "-1", "2.5"])
@pytest.mark.parametrize("table", ["by_image", "top_images", "newly_misclassified"])
def test_an_image_that_there_is_not_is_refused(table, image, logits, tmp_path):
    rows = f"image,rank\n1,1\n{image},1\n"
    line = toys.refusal(choose, 30, logits, LABELS, folders.write(tmp_path, **{table: rows}))
    assert (
        f"{table}.csv is damaged (it names image {image}, of 30): delete it and run `convscope "
        in line
    )
