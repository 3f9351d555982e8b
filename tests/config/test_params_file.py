import copy
import functools
from itertools import product
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from convscope.base.errors import UserError
from convscope.config import params_file
from tests.toys import refusal

COMMITTED = YAML(typ="safe").load(Path("params.yaml").read_text())
MD5 = "0123456789abcdef" * 2


def refused(tmp_path, content):
    """The message with which a params file is refused."""
    path = tmp_path / "params.yaml"
    YAML(typ="safe").dump(content, path)
    message = refusal(params_file.load, path)
    assert message.startswith(str(path))
    return message.removeprefix(f"{path}: ")


def changed(key, value):
    """The committed parameters with one key set, its parts joined by dots."""
    params = copy.deepcopy(COMMITTED)
    put(params, key, value)
    return params


def put(params, key, value):
    """Set a key, its parts joined by dots."""
    *sections, last = key.split(".")
    functools.reduce(dict.__getitem__, sections, params)[last] = value


def test_the_committed_parameters_are_accepted_and_cannot_be_changed():
    params = params_file.load(Path("params.yaml"))
    assert params.data.source == "digits"
    assert list(params.nets) == ["baseline", "net1", "net2", "net3", "net4"]
    with pytest.raises(ValueError, match="frozen"):
        params.train.threads = 2


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("wish", {}, "wish: is unknown: remove it or correct its name"),
        ("oclusion", {}, "oclusion: is unknown: did you mean occlusion?"),
        ("train.sedes", [0], "train.sedes: is unknown: did you mean train.seeds? (it is [0])"),
        ("train", {"sedes": [0]}, "train.sedes: is unknown: did you mean train.seeds?"),
        ("train.seed", [0], "train.seed: is unknown: did you mean train.seeds?"),
        ("train.lr", [0], "train.lr: is unknown: did you mean nets.NET.lr?"),
        ("nets.net1.seed", [0], "nets.net1.seed: is unknown: did you mean nets.net1.seeds?"),
        ("nets.net1.sead", [0], "nets.net1.sead: is unknown: did you mean nets.net1.seeds?"),
        ("nets.net1.flip", 0.5, "nets.net1.flip: is unknown: did you mean nets.net1.augment.flip?"),
        ("nets.net1.precision", "bf16", "nets.net1.precision: is unknown: did you mean train.prec"),
        ("nets.net1.widow_sizes", [3], "nets.net1.widow_sizes: is unknown: did you mean occlusio"),
        ("window_sizes", [3], "window_sizes: is unknown: did you mean occlusion.window_sizes?"),
        ("seeds", [0], "seeds: is unknown: did you mean train.seeds?"),
        ("net", "net3", "net: is unknown: did you mean nets?"),
        ("nets.net1.epochs", 0, "nets.net1.epochs: Input should be greater than or equal to 1"),
        ("nets.net1.epochs", "ten", "nets.net1.epochs: Input should be a valid integer"),
        ("nets.net1.epochs", True, "nets.net1.epochs: Input should be a valid integer"),
        ("nets.net3.dropout_rate", [0.1, 1.5], r"nets.net3.dropout_rate[1]: Input should be less"),
        ("nets.net3.dropout_rate", [0.1, 0.1], "nets.net3.dropout_rate: lists a value twice"),
        ("nets.net3.dropout_rate", [], "nets.net3.dropout_rate: is empty: list at least one"),
        ("nets.net3.dropout_rate", 0.1, "nets.net3.dropout_rate: must be a list, in brackets (it"),
        ("nets.net1.lr", [float("nan")], "nets.net1.lr[0]: "),
        ("nets.net5", {}, "nets.net5: is not a network; known: baseline, net1"),
        ("train.select_on", "luck", "train.select_on: Input should be 'test' or 'validation'"),
        ("train.seeds", [-1], "train.seeds[0]: Input should be greater than or equal to 0"),
        ("occlusion.window_sizes", [3, 33], "occlusion.window_sizes[1]: Input should be less"),
        ("analysis.net", "net9", "analysis.net: is not a network; known: baseline, net1"),
        ("nets.net1.seeds", [0, 0], "nets.net1.seeds: lists a value twice"),
        ("nets.net1.seeds", [], "nets.net1.seeds: is empty: list at least one value"),
        ("filter_ablation.filters", 0, "filter_ablation.filters: Input should be greater than"),
        ("filter_ablation.filters", True, "filter_ablation.filters: Input should be a valid int"),
        ("filter_ablation.filters", 1.5, "filter_ablation.filters: Input should be a valid int"),
        ("filter_ablation.filters", [], "filter_ablation.filters: "),
        ("filter_ablation.filters", "all", "filter_ablation.filters: must be a number, the first"),
        ("filter_ablation.filters", ["conv1"], "filter_ablation.filters: must be a number, the"),
        ("filter_ablation.filters", [0, 1], "filter_ablation.filters: must be a number, the"),
        (
            "filter_ablation.filters",
            ["conv1/0"] * 2,
            "filter_ablation.filters.conv1: lists a value",
        ),
        ("filter_ablation.convolutions", 0, "filter_ablation.convolutions: Input should be gr"),
        ("filter_ablation.filters", {}, "filter_ablation.filters: "),
        ("filter_ablation.filters", {"conv1": [-1]}, "filter_ablation.filters.conv1[0]: "),
        ("filter_ablation.filters", {"conv1": []}, "filter_ablation.filters.conv1: "),
        ("filter_ablation.filters", {"conv1": [0, 0]}, "filter_ablation.filters.conv1: lists a"),
        ("filter_identify.top_k", 3, "filter_identify: shown (5) must not exceed top_k (3)"),
        ("data.source", "cifar10", "data: data.archives must list an archive"),
        ("data.source", "folder", "data: data.path must name the folder of your pictures"),
        ("data.path", "", "data.path: "),
        ("data.archives", [{"url": "file:x"}], "data.archives[0].md5: is missing: add it"),
        ("data.train_images", 3, "data.train_images: "),
        ("evaluate", [1], "evaluate: "),
    ],
)
def test_every_wrong_value_is_named_by_its_key(tmp_path, key, value, message):
    assert refused(tmp_path, changed(key, value)).startswith(message)


LACKS_8 = "conv1 has no filter 8: choose from 0 to 7 (net4"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filter_ablation.filters": ["conv9/0"]}, "filter_ablation.filters: the network has no"),
        ({"filter_identify.filters": ["conv1/8"]}, f"filter_identify.filters: {LACKS_8}"),
        ({"filter_ablation.filters": {"conv1": [8]}}, f"filter_ablation.filters: {LACKS_8}"),
        (
            # any of the grid's runs may turn out the best
            {"filter_ablation.filters": ["conv1/8"], "nets.net4.l1_oc": [9, 8]},
            f"filter_ablation.filters: {LACKS_8} with l1_oc=8), or give a number",
        ),
        (
            {"filter_ablation.filters": ["conv5/0"], "analysis.net": "net2"},
            "filter_ablation.filters: the network has no 'conv5': choose from conv1, conv2, conv3",
        ),
        ({"data.train_images": 1438}, "data.train_images is 1438: take 10 to 1437 images, or"),
        (
            {
                "data.source": "cifar10",
                "data.archives": [{"url": "file:a", "md5": "0" * 32}],
                "data.test_images": 10_001,
            },
            "data.test_images is 10001: take 10 to 10000 images, or null",
        ),
        (
            {
                "data.source": "cifar100",
                "data.archives": [{"url": "file:a", "md5": "0" * 32}],
                "data.train_images": 50_001,
            },
            "data.train_images is 50001: take 10 to 50000 images, or null",
        ),
        ({"data.test_images": 361}, "data.test_images is 361: take 10 to 360 images, or null"),
        (
            {"nets.net2.batch_size": [16, 1438]},
            "nets.net2.batch_size: 1438 is more than the 1437 images that there can be to train",
        ),
        ({"data.train_images": 63}, "nets.baseline.batch_size: 64 is more than the 63 images"),
        (
            {"nets.net2.batch_size": [1400], "train.select_on": "validation"},
            "nets.net2.batch_size: 1400 is more than the 1298 images that",
        ),
        ({"nets.net1.seeds": list(range(1_251))}, "nets.net1 has 10,008 runs, seeds counted"),
    ],
)
def test_sections_that_do_not_fit_each_other_are_refused(tmp_path, changes, message):
    params = copy.deepcopy(COMMITTED)
    for key, value in changes.items():
        put(params, key, value)
    assert refused(tmp_path, params).startswith(message)


def test_a_network_without_a_grid_is_not_analyzed(tmp_path):
    params = copy.deepcopy(COMMITTED)
    del params["nets"]["net4"]
    assert refused(tmp_path, params).startswith("analysis.net: net4 has no grid: choose from base")


@pytest.mark.parametrize("net", ["baseline", "net1", "net2", "net3", "net4"])
def test_the_filters_of_every_network_can_be_analyzed(tmp_path, net):
    YAML(typ="safe").dump(changed("analysis.net", net), tmp_path / "params.yaml")
    params_file.load(tmp_path / "params.yaml")


def test_a_grids_own_seeds_replace_those_of_all(tmp_path):
    YAML(typ="safe").dump(changed("nets.net1.seeds", [3, 5]), tmp_path / "params.yaml")
    params = params_file.load(tmp_path / "params.yaml")
    assert [params.seeds(net) for net in ("net1", "net2")] == [(3, 5), (0,)]
    assert params.nets["net1"].used()["seeds"] == [3, 5]
    assert "seeds" not in params.nets["net2"].used()


@pytest.mark.parametrize(
    ("listed", "by_convolution"),
    [
        (["conv2/3", "conv1/0", "conv2/1"], {"conv2": (3, 1), "conv1": (0,)}),
        ({"conv2": [3, 1], "conv1": [0]}, {"conv2": (3, 1), "conv1": (0,)}),
        (4, 4),
    ],
)
def test_filters_are_a_number_or_named(tmp_path, listed, by_convolution):
    YAML(typ="safe").dump(changed("filter_ablation.filters", listed), tmp_path / "params.yaml")
    assert params_file.load(tmp_path / "params.yaml").filter_ablation.filters == by_convolution


@pytest.mark.parametrize(("key", "value"), [("filter_identify.shown", 20), ("evaluate", None)])
def test_the_largest_value_and_an_absent_section_are_accepted(tmp_path, key, value):
    YAML(typ="safe").dump(changed(key, value), tmp_path / "params.yaml")
    params_file.load(tmp_path / "params.yaml")


@pytest.mark.parametrize("url", ["ftp://host/a.tar.gz", "/home/me/a.tar.gz", "a.tar.gz", "data:,x"])
def test_other_schemes_of_urls_are_refused(tmp_path, url):
    message = refused(tmp_path, changed("data.archives", [{"url": url, "md5": MD5}]))
    assert message.startswith("data.archives[0].url: String should match pattern '^(https?|file):")
    assert message.endswith(f"(it is '{url}')")


@pytest.mark.parametrize("md5", ["", MD5[:-1], MD5.upper(), "../" + MD5[3:], MD5 + "\n"])
def test_what_is_not_an_md5_is_refused(tmp_path, md5):
    archives = [{"url": "https://host/a.tar.gz", "md5": md5}]
    message = refused(tmp_path, changed("data.archives", archives))
    assert message.startswith("data.archives[0].md5: String should match pattern '^[0-9a-f]{32}$'")


def test_one_wrong_item_is_one_error(tmp_path):
    assert "more)" not in refused(tmp_path, changed("nets.net1.lr", [-1.0]))
    assert "(and 1 more)" in refused(
        tmp_path, changed("train", {**COMMITTED["train"], "a": 1, "b": 2})
    )


def test_a_network_of_absurd_size_is_refused_before_memory_is_asked_for(tmp_path):
    params = changed("nets.net4.filter_multiplier", [8.0])
    params["nets"]["net4"]["l1_oc"] = [1024]
    assert "parameters, and a network may have 200,000,000" in refused(tmp_path, params)


def test_a_grid_of_absurd_size_is_refused(tmp_path):
    params = changed("nets.net1.lr", [i / 100 for i in range(1, 101)])
    params["nets"]["net1"]["momentum"] = [i / 100 for i in range(50)]
    assert "40,000 runs, seeds counted, and a grid may have 10,000" in refused(tmp_path, params)
    seeds = changed("train.seeds", list(range(2_000)))
    assert "nets.baseline has 12,000 runs, seeds counted" in refused(tmp_path, seeds)


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="is missing: run convscope in the project's folder"):
        params_file.load(tmp_path / "params.yaml")


def test_numbers_are_read_as_dvc_reads_them(tmp_path):
    text = Path("params.yaml").read_text().replace("fraction: 0.1", "fraction: 1e-1")
    (tmp_path / "params.yaml").write_text(text)
    assert params_file.load(tmp_path / "params.yaml").train.validation_fraction == 0.1


def test_points_come_in_the_studys_order_last_key_fastest():
    grid = params_file.load(Path("params.yaml")).nets["net1"]
    points = [(p["l1_oc"], p["kernel_size"], p["stride"]) for p in grid.points()]
    assert points == list(product((6, 12), (3, 5), (1, 2)))
