"""Lines about params.yaml."""

import json
from pathlib import Path

import torch

from convscope.config import params_file
from convscope.config.params_file import load
from convscope.nets import filter_selection, zoo
from convscope.stages import after
from convscope.training import plan
from tests import toys
from tests.remedies.row import Row, instead, nothing, params, remove, write

RIGHT = params()
MEND = "correct it, or take it back by `git checkout params.yaml`"
NETS = "baseline, net1, net2, net3, net4"
LABELS = torch.arange(80) % 10


def fitting():
    """Grids and images that are there, together."""
    params_file.require_images(load(), LABELS)


def needed():
    """A section, as a stage takes it."""
    return params_file.need(load().train, "train")


def chosen():
    """Filters of a network that was built."""
    choice = json.loads(Path("filters").read_text())
    module = zoo.build("net1", **toys.POINT)
    return filter_selection.need(module, choice, None, "filter_identify.filters")


# a value that is refused, where, and the words for it
WRONG = [
    (
        "config/params_file.load",
        {"train__seed": 0},
        "train.seed: is unknown: did you mean train.seeds? (it is 0)",
    ),
    (
        "config/params_file.load",
        {"zzz": 1},
        "zzz: is unknown: remove it or correct its name (it is 1)",
    ),
    (
        "config/params_file.load",
        {"nets__net1__lr": 0.1},
        "nets.net1.lr: must be a list, in brackets (it is 0.1)",
    ),
    (
        "config/params_file.load",
        {"nets__net1__lr": []},
        "nets.net1.lr: is empty: list at least one value (it is [])",
    ),
    (
        "config/params_file.load",
        {"nets__net1__l1_oc": [0]},
        "nets.net1.l1_oc[0]: Input should be greater than or equal to 1 (it is 0)",
    ),
    (
        "config/schema._distinct",
        {"train__seeds": [1, 1]},
        "train.seeds: lists a value twice (it is [1, 1])",
    ),
    (
        "config/schema._network",
        {"analysis__net": "net9"},
        f"analysis.net: is not a network; known: {NETS} (it is 'net9')",
    ),
    (
        "config/schema._by_convolution",
        {"filter_identify__filters": "conv1"},
        "filter_identify.filters: must be a number, the first so many filters of each "
        "convolution, or a list of filters such as [conv1/0, conv4/3] (it is 'conv1')",
    ),
    (
        "config/schema.Data._images_are_somewhere",
        {"data": {"source": "folder"}},
        "data: data.path must name the folder of your pictures: -S data.path=FOLDER",
    ),
    (
        "config/schema.Data._images_are_somewhere 2",
        {"data": {"source": "cifar10"}},
        "data: data.archives must list an archive {url, md5} when source is cifar10",
    ),
    (
        "config/schema.FilterIdentify._shown_are_among_the_top",
        {"filter_identify__shown": 20},
        "filter_identify: shown (20) must not exceed top_k (6)",
    ),
    (
        "config/params_file.Params._fitting",
        {"train__precision": "bf16"},
        "train.precision is bf16, which not every processor computes in: set kernels to native, "
        "or precision to fp32",
    ),
    (
        "config/checks.grid",
        {"train__seeds": list(range(73)), "nets__baseline__lr": [n / 200 for n in range(1, 138)]},
        "nets.baseline has 10,001 runs, seeds counted, and a grid may have 10,000: list fewer "
        "values",
    ),
    (
        "config/checks.grid 2",
        {"nets__net1__kernel_size": [31]},
        "nets.net1 has a point that cannot be built (the 1x1 feature map is too small for a "
        "31x31 convolution): change l1_oc=4, filter_multiplier=…, kernel_size=31, stride=1, "
        "dropout_rate=0",
    ),
    (
        "config/checks.grid 3",
        {"nets__net4__l1_oc": [1024], "nets__net4__filter_multiplier": [4.0]},
        "nets.net4 has a point (l1_oc=1024, …) of … parameters, and a network may have "
        "200,000,000: lower its l1_oc or filter_multiplier",
    ),
    (
        "config/checks.filters",
        {"filter_identify__filters": {"conv9": [0]}},
        "filter_identify.filters: the network has no 'conv9': choose from conv1, conv2, conv3, "
        "conv4, conv5, conv6 (net4), or give a number: the first so many filters of each "
        "convolution",
    ),
    (
        "config/checks.images",
        {"data__test_images": 400},
        "data.test_images is 400: take 10 to 360 images, or null for all 360",
    ),
    (
        "config/checks._no_larger",
        {"nets__net1__batch_size": [500]},
        "nets.net1.batch_size: 500 is more than the 120 images that there can be to train on: "
        "lower it, or take more (data.train_images)",
    ),
]

ROWS = [
    Row(
        "stages/after._params",
        "params.yaml cannot be read (…): correct it, and run `convscope after` again",
        after.summary,
        write("params.yaml", "train: {"),
        RIGHT,
    ),
    Row(
        "stages/after._params 2",
        "params.yaml does not map sections to their keys: correct it, and run `convscope after` "
        "again",
        after.summary,
        write("params.yaml", "- train"),
        RIGHT,
    ),
    Row(
        "config/content.read",
        "params.yaml is missing: run convscope in the project's folder",
        load,
        remove("params.yaml"),
        RIGHT,
    ),
    Row(
        "config/content.read 2",
        f"params.yaml is not a readable YAML file (… in line 1): {MEND}",
        load,
        write("params.yaml", "train: {"),
        RIGHT,
    ),
    Row(
        "config/content.read 3",
        f"params.yaml does not map sections to their keys: {MEND}",
        load,
        write("params.yaml", "- train"),
        RIGHT,
    ),
    Row(
        "config/params_file.load",
        "params.yaml: train.threads: is missing: add it",
        load,
        params("train__threads"),
        RIGHT,
    ),
    *(
        Row(site, f"params.yaml: {words}", load, params(**changes), RIGHT)
        for site, changes, words in WRONG
    ),
    Row(
        "config/params_file.Params._analysis_fitting",
        "params.yaml: analysis.net: net4 has no grid: choose from baseline, net1, net2, net3, or "
        "add nets.net4",
        load,
        params("nets__net4"),
        RIGHT,
    ),
    Row(
        "config/params_file.need",
        "params.yaml: train is missing: add it as conf/ has it (`dvc exp run` composes the file "
        "from there)",
        needed,
        params("train"),
        RIGHT,
    ),
    Row(
        "config/params_file.require_images",
        "params.yaml: nets.baseline.batch_size: 32 is more than the 20 images to train on: lower "
        "it, or take more (data.train_images)",
        lambda: params_file.require_images(
            load(), LABELS[: 20 if load().data.train_images == 120 else 40]
        ),
        RIGHT,
        params(data__train_images=119),
    ),
    Row(
        "config/checks.labels",
        "params.yaml: train.validation_fraction: 0.05 of each class is not one image: raise it, "
        "or take more images (data.train_images)",
        fitting,
        params(train__select_on="validation", train__validation_fraction=0.05),
        params(train__select_on="validation", train__validation_fraction=0.1),
    ),
    Row(
        "config/checks._no_single_value",
        "params.yaml: nets.net3.batch_size: 80 images leave a last batch of one, whose 1x1 map "
        "batch normalization cannot take (…): change it, or data.train_images",
        fitting,
        params(nets__net3__batch_size=[79], nets__net3__kernel_size=[7]),
        params(nets__net3__batch_size=[78], nets__net3__kernel_size=[7]),
    ),
    Row(
        "nets/filter_selection.need",
        "params.yaml: filter_identify.filters: the network has no 'conv9': choose from conv1, "
        "conv2",
        chosen,
        write("filters", {"conv9": [0]}),
        write("filters", {"conv1": [0]}),
    ),
    Row(
        "nets/filter_selection.need",
        "params.yaml: filter_identify.filters: conv1 has no filter 4: choose from 0 to 3",
        chosen,
        write("filters", {"conv1": [4]}),
        write("filters", {"conv1": [3]}),
    ),
    Row(
        "training/plan.section",
        f"'net9' is not a network; known: {NETS}",
        lambda: plan.section(load(), "net9"),
        nothing,
        instead(lambda: plan.section(load(), "net1")),
    ),
]
