from pathlib import Path

import pytest
from ruamel.yaml import YAML

from convscope.study.published import study

ORIGINAL = Path(__file__).parents[4] / "shared/study/published.yaml"
RENAMED = {
    "by_width": "by_l1_oc_filter_multiplier",
    "by_kernel_stride": "by_kernel_size_stride",
    "by_kernel": "by_kernel_size",
    "by_dropout": "by_dropout_rate",
    "mean_total_parameters": "total_parameters",
}


def leaves(value, path=()):
    """Every value of nested mappings and lists, by its path, with our names for the keys."""
    if isinstance(value, dict):
        pairs = [(RENAMED.get(key, key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return {path: value}
    return {
        where: leaf for key, inner in pairs for where, leaf in leaves(inner, (*path, key)).items()
    }


@pytest.mark.skipif(not ORIGINAL.is_file(), reason="the study's own published.yaml is not here")
def test_every_published_number_is_here_under_the_same_path():
    theirs = leaves(YAML(typ="safe").load(ORIGINAL.read_text(encoding="utf-8")))
    ours = leaves(dict(study()))
    assert len(theirs) > 500
    assert {path: ours.get(path) for path in theirs} == theirs


def test_spot_checks():
    numbers = study()
    assert numbers["net4"]["best"]["test_accuracy"] == 0.8874
    assert numbers["net2"]["by_epoch"][-1]["overfit_percent"] == 29.4356
    assert numbers["hours_of_training_in_all"] == 21.7
    assert numbers["filter_identification"]["response_of_top_20"]["conv2/1"]["mean"] == -13.1319
    assert numbers["occlusion"]["window_sizes"] == [3, 5, 7, 9, 13]


def test_the_numbers_agree_with_one_another():
    ablation, networks = study()["filter_ablation"], study()
    filters = networks["net4"]["filters_in_all_conv_layers"]
    assert sum(ablation["filters_by_layer"].values()) == filters == 1280
    for when in ("before", "after"):
        matrix = ablation[f"confusion_{when}"]
        assert [sum(row) for row in matrix] == [1000] * 10
        right = sum(matrix[i][i] for i in range(10))
        assert right / 100 == ablation["overall_accuracy_percent"][when]
    frequency = networks["filter_identification"]["class_frequency_in_top_20"]
    assert {sum(row) for row in frequency.values()} == {20}


def test_every_block_of_results_says_what_it_holds():
    blocks = [block for block in study().values() if isinstance(block, dict) and "about" in block]
    assert len(blocks) == 8
