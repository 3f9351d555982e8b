import base64
import json
import re

import matplotlib
import numpy as np
import pytest
import torch
from tests import toys
from tests.report.explorer import folders, networks

from convscope.data.datasets import DataSet
from convscope.figures import style
from convscope.report.explorer import content, network

NAMES = ("red", "green", "blue")
IMAGES, LABELS = toys.noise(30, seed=6), torch.arange(30) % 3
DATASET = DataSet(IMAGES[:12], LABELS[:12], IMAGES, LABELS, NAMES, {}, "toy", "")
OWN = list(toys.noise(2, seed=7))


@pytest.fixture(scope="module")
def module():
    return networks.tiny()


@pytest.fixture
def gathered(module, tmp_path):
    """What the page holds, where tables are changed."""

    def gather(count=9, own=(), **changes):
        analyses = folders.write(tmp_path, **changes)
        return content.gather("net3", module, DATASET, analyses, count, own)

    return gather


def unpacked(text, kind, *shape):
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), kind).copy()).view(shape)


def test_images_come_with_number_class_reasons_pixels_and_logits(module, gathered):
    with toys.left_alone(module.train()):
        found = gathered()
    module.eval()
    numbers = [image["number"] for image in found["images"]]
    assert numbers[:4] == [7, 2, 5, 9]
    assert len(set(numbers)) == 9
    assert [image["label"] for image in found["images"]] == LABELS[numbers].tolist()
    assert found["images"][1]["why"][:2] == ["has occlusion maps", "top image of a filter"]
    assert torch.equal(unpacked(found["pixels"], np.uint8, 9, 3, 32, 32), IMAGES[numbers])
    with torch.no_grad():
        expected = module(IMAGES.float() / 255)
    logits = unpacked(found["logits"], "<f4", 9, 3)
    torch.testing.assert_close(logits, expected[numbers], atol=1e-5, rtol=0)
    assert found["accuracy"] == (expected.argmax(1) == LABELS).double().mean().item()


def test_a_person_s_pictures_come_first_and_nothing_else_changes(gathered):
    without, found = gathered(), gathered(own=OWN)
    assert found["images"][:2] == [
        {"number": -1, "label": None, "why": ["own picture"]},
        {"number": -2, "label": None, "why": ["own picture"]},
    ]
    assert found["images"][2:] == without["images"]
    pixels = unpacked(found["pixels"], np.uint8, 11, 3, 32, 32)
    assert torch.equal(pixels[:2], torch.stack(OWN))
    assert torch.equal(pixels[2:], unpacked(without["pixels"], np.uint8, 9, 3, 32, 32))
    logits = unpacked(without["logits"], "<f4", 9, 3)
    own = unpacked(found["logits"], "<f4", 11, 3)
    torch.testing.assert_close(own[2:], logits, atol=1e-5, rtol=0)
    same = found.keys() - {"images", "pixels", "logits"}
    assert {key: found[key] for key in same} == {key: without[key] for key in same}


def test_the_analyses_are_of_the_images_that_they_tested(gathered):
    found = gathered()
    assert (found["study"]["images"], found["study"]["drop"]) == (30, 10)
    assert (found["alone_images"], found["alone"]["conv1"][0]["drop"]) == (20, 25)
    whole = folders.FILES["filter-ablation/params.json"]["filter_ablation"] | {"atlas_images": None}
    found = gathered(params={"filter_ablation": whole, "filter_identify": {"shown": 2}})
    assert found["alone_images"] == 30
    found = gathered(
        params={"filter_ablation": whole | {"atlas_images": 99}, "filter_identify": {"shown": 2}}
    )
    assert found["alone_images"] == 30


def test_maps_and_top_images_are_of_images_that_the_page_has(gathered):
    assert gathered(count=1)["maps"]["images"] == [7]
    found = gathered(count=4)
    assert found["maps"]["images"] == [7, 2]
    numbers = {image["number"] for image in found["images"]}
    for filters in found["top_here"].values():
        assert len(filters) == 3
        for images in filters:
            assert {number for number, *_ in images} == numbers
    assert numbers == {7, 2, 9, 5}
    # those of the others are not all among them
    (tops,) = (each["images"] for each in found["top"].values() if each["images"])
    assert [image for image, *_ in tops] == [9, 2]


def test_the_network_is_there_or_its_answers_are(module, gathered, monkeypatch):
    live = gathered(own=OWN)
    assert live["network"] == network.packed(module)
    assert (live["recorded"], live["norms"]) == (None, True)
    assert live["convolutions"] == network.convolutions(module)
    monkeypatch.setattr(network, "is_live", lambda _: False)
    wide = gathered(own=OWN)
    assert wide["network"] is None
    # one's own pictures and those with maps can be covered
    windows = wide["recorded"]["windows"]
    assert (windows["sizes"], windows["images"]) == ([30, 31], [0, 1, 2, 3])
    assert wide["recorded"]["alone"]["filters"][:3] == ["conv1/0", "conv1/1", "conv2/2"]


def test_color_maps_are_those_of_the_report_s_figures(gathered):
    colors = gathered()["colors"]
    for name, kind in (("sequential", style.SEQUENTIAL), ("difference", style.DIFFERENCE)):
        found = re.findall("[0-9a-f]{6}", colors[name])
        assert len(found) == len(colors[name]) / 6 == 256
        for at in (0, 100, 255):
            red, green, blue, _ = matplotlib.colormaps[kind](at / 255)
            levels = [int(found[at][place : place + 2], 16) / 255 for place in (0, 2, 4)]
            assert levels == pytest.approx([red, green, blue], abs=1 / 255)


def test_the_same_twice_and_all_of_it_is_json(gathered):
    found = json.dumps(gathered(own=OWN), allow_nan=False)
    assert json.dumps(gathered(own=OWN), allow_nan=False) == found


def test_the_listed_images_are_those_of_the_test_set(gathered):
    rows = content.listed(gathered(count=4, own=OWN))
    assert [row["image"] for row in rows] == [7, 2, 5, 9]
    assert rows[0]["class"] == "green"
    assert rows[1]["why"].startswith("has occlusion maps; top image of a filter")


@pytest.mark.parametrize(
    ("classes", "listed"),
    [
        (NAMES, "red, green and blue"),
        (tuple("abcdefghijkl"), "a, b, c, d, e, f, g, h, i, j, k and l"),
        (tuple("abcdefghijklm"), "13 classes"),
    ],
)
def test_the_first_sentences(classes, listed):
    held = {"net": "net4", "classes": classes, "accuracy": 0.75094, "network": {"layers": []}}
    many = DataSet(*[torch.zeros(1234)] * 2, *[torch.zeros(5678)] * 2, classes, {}, "", "")
    said = f"net4 learned to tell {listed} apart from 1,234 images; of 5,678 others it gets 75.1 % "
    assert content.introduction(held, many) == (
        f"{said}right. It runs inside this page: cover part of an image, switch filters off, watch "
        "its answer."
    )
    assert content.introduction(held | {"network": None}, many) == (
        f"{said}right. It is too wide to run inside a page, so what can be done here was computed "
        "before: some windows over some images, some filters off."
    )


def test_a_class_without_a_column_in_the_atlas_is_refused(gathered):
    line = toys.refusal(lambda: gathered(atlas="layer,filter,lost,gained,adjusted_p_value,red\n"))
    assert "atlas.csv is damaged (it has no column green)" in line
