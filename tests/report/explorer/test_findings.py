import base64

import numpy as np
import pytest
import torch
from tests import toys
from tests.report.explorer import folders
from torch import nn

from convscope.base import metrics
from convscope.report.explorer import findings

NAMES = ("red", "green", "blue")


@pytest.fixture
def analyses(tmp_path):
    return folders.write(tmp_path)


def interval(lost, gained, images):
    low, high = metrics.paired_difference_interval(lost, gained, images)
    return {"low": pytest.approx(100 * low, abs=1e-4), "high": pytest.approx(100 * high, abs=1e-4)}


def test_what_the_study_s_filters_cost_together(analyses):
    # 4 of 30 images are newly wrong; 10 points are 3 images, so that one is newly right
    assert findings.together(analyses.ablated, 30) == {
        "filters": folders.FILTERS,
        "drop": 10.0,
        **interval(4, 1, 30),
        "hurt": [["red", 50.0], ["blue", 2.5]],
        "images": 30,
    }


def test_what_each_filter_costs_alone(analyses):
    found = findings.alone(analyses.ablated, NAMES, 20)
    assert {layer: len(filters) for layer, filters in found.items()} == {"conv1": 3, "conv2": 3}
    assert found["conv1"][0] == {
        "drop": 25.0,
        **interval(6, 1, 20),
        "hurt": [["red", 75.0]],
        "significant": True,
    }
    assert found["conv1"][2] == {
        "drop": -10.0,
        **interval(0, 2, 20),
        "hurt": [],
        "significant": False,
    }
    # 0.05 is no more than chance explains; three classes at most, and what is lost to two places
    assert found["conv2"][0]["significant"] is False
    assert found["conv2"][0]["hurt"] == [["green", 12.35], ["blue", 3.0], ["red", 1.0]]
    # a drop and its interval belong together
    for costs in found.values():
        assert all(cost["low"] <= cost["drop"] <= cost["high"] for cost in costs)


def test_a_filter_that_changes_nothing_costs_nothing(analyses):
    null = findings.alone(analyses.ablated, NAMES, 20)["conv1"][1]
    assert (null["drop"], null["low"]) == (0, -null["high"])
    assert null["hurt"] == []


def unpacked(text):
    return (np.frombuffer(base64.b64decode(text), "<u2") / 65535).tolist()


def test_maps_are_of_the_shown_images_by_window_image_row_and_column(analyses):
    found = findings.maps(analyses.occluded, {2, 7, 9})
    assert (found["images"], found["windows"]) == ([7, 2], [30, 31])
    values = [*(at / 8 for at in range(9)), *(at / 16 for at in range(9))]
    values += [0, 0.25, 0.5, 1, 1, 1, 1, 0.75]
    assert unpacked(found["values"]) == pytest.approx(values, abs=1e-5)
    found = findings.maps(analyses.occluded, [2])
    assert found["images"] == [2]
    assert unpacked(found["values"])[-4:] == pytest.approx([1, 1, 1, 0.75], abs=1e-5)
    assert len(unpacked(found["values"])) == 13


def test_without_maps_there_are_none(analyses):
    none = {"images": [], "windows": [30, 31], "values": ""}
    assert findings.maps(analyses.occluded, [1]) == none
    for path in analyses.occluded.path.glob("map_*.csv"):
        path.unlink()
    assert findings.maps(analyses.occluded, [7]) == {**none, "windows": []}


def test_top_images_that_are_shown_come_by_rank_with_their_patches(analyses):
    found = findings.top(analyses.identified, [2, 5, 9, 13])
    assert found == {
        "conv1/0": {"dead": False, "images": [[9, 4, 5, 6, 7], [5, 0, 1, 2, 3], [13, 1, 1, 2, 2]]},
        "conv1/1": {"dead": True, "images": [[9, 8, 8, 9, 9], [2, 7, 7, 8, 8]]},
        "conv2/2": {"dead": False, "images": None},
    }


def test_five_top_images_are_enough(tmp_path):
    rows = "".join(f"conv1/0,{rank},{rank},0,0,1,1\n" for rank in range(1, 10))
    table = f"filter,rank,image,top,left,bottom,right\n{rows}"
    identified = folders.write(tmp_path, top_images=table).identified
    found = findings.top(identified, range(1, 9))
    assert [image for image, *_ in found["conv1/0"]["images"]] == [1, 2, 3, 4, 5]
    # others than the first would not be those to which it responds most
    assert findings.top(identified, range(2, 10))["conv1/0"] == {"dead": False, "images": None}


def test_the_page_s_images_that_a_filter_responds_to_most():
    """Filters that sum 2 x 2 pixels of red, and of minus red, of images of which some are alike."""
    conv = toys.weighted(nn.Conv2d(3, 2, 2), [[1] * 4 + [0] * 8, [-1] * 4 + [0] * 8], [0.0, 0.0])
    module = nn.Sequential()
    module.add_module("conv1", conv)
    images = torch.zeros(7, 3, 32, 32, dtype=torch.uint8)
    for at, level in enumerate([10, 90, 10, 50, 200, 30, 70]):
        images[at, 0, 5 + at, 20] = level
    images[4, 0, 31, 31] = 255
    numbers = [40, 41, 42, 43, 44, 45, 46]
    first, second = findings.top_here(module, ["conv1"], images, numbers)["conv1"]
    # of 41, say, row 6, column 20 is bright, which the unit at row 5, column 19 sees first; 44 has
    # a corner that is brighter still
    assert first == [
        [44, 30, 30, 32, 32],
        [41, 5, 19, 7, 21],
        [46, 10, 19, 12, 21],
        [43, 7, 19, 9, 21],
        [45, 9, 19, 11, 21],
    ]
    # of equals the first; nothing is above zero, which the corner of most images has
    assert [image for image, *_ in second] == [40, 42, 45, 43, 46]
    assert second[0] == [40, 0, 0, 2, 2]


@pytest.mark.parametrize(
    ("table", "content", "find"),
    [
        ("class_accuracy", "class\nred\n", lambda at: findings.together(at.ablated, 30)),
        ("newly_misclassified", "image\n?\n", lambda at: findings.together(at.ablated, 30)),
        ("atlas", "layer,filter\n", lambda at: findings.alone(at.ablated, NAMES, 20)),
        ("map_30", "image,row,column,confidence\n", lambda at: findings.maps(at.occluded, [7])),
        ("map_30", "image,row\n7,1\n", lambda at: findings.maps(at.occluded, [7])),
        ("top_images", None, lambda at: findings.top(at.identified, [7])),
        ("responses", "filter\nconv1/0\n", lambda at: findings.top(at.identified, [7])),
    ],
)
def test_a_table_that_is_missing_or_damaged_is_named_with_the_remedy(
    table, content, find, tmp_path
):
    line = toys.refusal(find, folders.write(tmp_path, **{table: content}))
    assert f"{table}.csv" in line
    assert "run `convscope " in line
