"""Grids beside the study's: the literals are those of its text."""

import pytest

from convscope.report import sizes
from convscope.report.reading import Folder
from tests.report import folders

NET4 = {
    "epochs": 100,
    "augment": True,
    "momentum": [0.9],
    "lr": [0.01],
    "batch_size": [128],
    "l1_oc": [64],
    "filter_multiplier": [2.0],
    "kernel_size": [3],
    "stride": [1],
    "dropout_rate": [0.5, 0.3],
}


@pytest.fixture
def grid(tmp_path):
    def write(net="net4", train=(), **changed):
        used = {"train": {"seeds": [0], **dict(train)}, "net": {**NET4, **changed}}
        folders.replace(tmp_path / f"train/{net}/params.json", used)
        return Folder(tmp_path, f"train/{net}", f"train {net}")

    return write


def texts(parts):
    return [part.text for part in parts]


def test_the_studys_own_grid_is_of_the_published_size_in_any_order(grid):
    assert sizes.differences(grid()) == []
    assert texts(sizes.of_grid(grid())) == [
        "The published size: the study's own grid, epochs and training images."
    ]
    assert sizes.of_several([grid()]) == []


def test_what_is_reduced_is_listed(grid):
    reduced = grid(epochs=12, l1_oc=[12], train={"seeds": [0, 1]})
    assert sizes.differences(reduced) == [
        "epochs 12 (study: 100)",
        "l1_oc 12 (study: 64)",
        "2 seeds (study: 1)",
    ]
    (text,) = texts(sizes.of_grid(reduced))
    assert text.startswith("Not the published size: epochs 12 (study: 100), l1_oc 12 (study: 64), ")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"augment": False}, "augment no (study: yes)"),
        ({"momentum": [0.0]}, "momentum 0 (study: 0.9)"),
        (
            {"train": {"select_on": "validation", "validation_fraction": 0.1}},
            "validation_fraction 0.1 (study: 0)",
        ),
    ],
)
def test_settings_beside_the_widths_count_too(changed, told, grid):
    assert sizes.differences(grid(**changed)) == [told]


def test_the_held_out_part_counts_only_where_it_is_held_out(grid):
    unused = {"select_on": "test", "validation_fraction": 0.1}
    assert sizes.differences(grid(train=unused)) == []


def test_a_setting_that_the_run_does_not_name_is_unknown(grid):
    assert sizes.differences(grid(l1_oc=None)) == ["l1_oc unknown (study: 64)"]


def test_a_network_that_the_study_has_not_is_not_compared(grid):
    other = grid("net5", epochs=1)
    assert sizes.differences(other) is None
    assert sizes.of_grid(other) == []
    assert sizes.of_several([other]) == []


def test_of_several_grids_both_kinds_are_named(grid):
    folders = [grid(), grid("net3"), grid("net2"), grid("net5")]
    (text,) = texts(sizes.of_several(folders))
    assert text.startswith("At the published size: net4. Not at the published size: net3 and net2 ")
