"""How large a page becomes of a network at the study's published size, and of one that runs in it.

What takes minutes is noise here, of which no text is shorter than of numbers that mean something.
"""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from tests import toys
from tests.report.explorer import folders

from convscope.analysis.filters.responses import Responses
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.nets.receptive_field import conv_layers
from convscope.report.explorer import content, findings, network, packing, page, recorded

IMAGES, MAPPED, WINDOWS = 200, 15, (3, 5, 7, 9, 13)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FILTERS = {f"conv{layer}": [0, 1] for layer in range(1, 6)}
SIDES = {"conv1": 32, "conv2": 32, "conv3": 30, "conv4": 15, "conv5": 15}


def maps(window):
    places = product(range(MAPPED), range(33 - window), range(33 - window))
    table = pd.DataFrame(places, columns=["image", "row", "column"])
    return table.assign(confidence=np.random.default_rng(0).uniform(size=len(table)))


def atlas(widths):
    table = pd.DataFrame(
        [(layer, index) for layer, width in widths.items() for index in range(width)],
        columns=["layer", "filter"],
    )
    points = np.random.default_rng(1).uniform(-1, 9, (len(table), len(CLASSES)))
    table = table.assign(lost=77, gained=33, adjusted_p_value=0.5, drop_percent=0.44)
    return pd.concat([table, pd.DataFrame(points, columns=CLASSES)], axis=1)


def analyses(folder, widths):
    named = [f"{layer}/{index}" for layer, chosen in FILTERS.items() for index in chosen]
    tops = [(name, rank, 7 * rank, 0, 0, 20, 20) for name in named for rank in range(1, 21)]
    tables = {
        "by_image": pd.DataFrame({"image": range(MAPPED)}),
        "class_accuracy": pd.DataFrame({"class": [*CLASSES, "overall"], "drop_points": 3.21}),
        "newly_misclassified": pd.DataFrame({"image": range(20, 120)}),
        "atlas": atlas(widths),
        "atlas_extremes": pd.DataFrame({"layer": "conv6", "filter": range(20)}),
        "top_images": pd.DataFrame(
            tops, columns=["filter", "rank", "image", "top", "left", "bottom", "right"]
        ),
        "responses": pd.DataFrame({"filter": named, "dead": False}),
    }
    written = {name: table.to_csv(index=False) for name, table in tables.items()}
    parameters = {"filters": FILTERS, "atlas_images": IMAGES}
    found = folders.write(
        folder,
        **{f"map_{window}": None for window in folders.WINDOWS},
        params={"filter_ablation": parameters, "filter_identify": {"shown": 5}},
        **written,
    )
    for window in WINDOWS:
        table = maps(window).to_csv(index=False)
        folders.replace(found.occluded.path / f"map_{window}.csv", table)
    return found


@pytest.fixture
def noise(monkeypatch):
    """Noise in the place of what a network makes of images."""

    def measure(module, layers, images):
        found = {}
        for layer in layers:
            shape = len(images), len(module.get_submodule(layer).weight)
            position = torch.randint(0, 13, (*shape, 2))
            sums, largest = torch.randn(2, *shape)
            found[layer] = Responses(sums, largest, position, largest > 0, 169)
        return found

    def feature_maps(_, images, filters):
        return {
            layer: {
                "scale": 1.2345678,
                "size": SIDES[layer],
                "filters": chosen,
                "values": packing.text(
                    torch.randint(
                        -127, 128, (len(chosen), len(images), SIDES[layer] ** 2), dtype=torch.int8
                    ).numpy()
                ),
            }
            for layer, chosen in filters.items()
        }

    def outputs(_, images):
        return torch.randn(len(images), 10)

    def answers(_, images, window):
        return torch.rand(len(images), 33 - window, 33 - window, 10)

    monkeypatch.setattr(content, "logits", outputs)
    monkeypatch.setattr(recorded, "logits", outputs)
    monkeypatch.setattr(recorded.sensitivity, "answers", answers)
    monkeypatch.setattr(recorded.joint, "ablated", lambda module, _: module)
    monkeypatch.setattr(recorded, "_maps", feature_maps)
    monkeypatch.setattr(findings.responses, "measure", measure)


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize(("width", "live"), [(64, False), (12, True)])
def test_a_page_has_at_most_6_megabytes(width, live, tmp_path):
    module = zoo.build("net4", l1_oc=width).eval()
    assert network.is_live(module) is live
    images = toys.noise(IMAGES + 50)
    labels = torch.arange(len(images)) % 10
    dataset = DataSet(images[:9], labels[:9], images, labels, CLASSES, {}, "toy", "")
    widths = {name: len(module.get_submodule(name).weight) for name in conv_layers(module)}
    found = content.gather("net4", module, dataset, analyses(tmp_path, widths), IMAGES)
    text = page.render(found, content.introduction(found, dataset))
    assert len(text.encode()) <= 6_000_000
    # all is there that takes room
    assert len(found["images"]) == IMAGES
    assert sum(map(len, found["top_here"].values())) == sum(map(len, found["alone"].values()))
    assert len(found["alone"]["conv6"]) == widths["conv6"]
    assert found["maps"]["images"] == list(range(MAPPED))
    assert (found["recorded"] is None) is live
    packed = found["network"] if live else found["recorded"]
    assert len(json.dumps(packed)) > (1_900_000 if live else 3_000_000)
    if not live:
        assert len(found["recorded"]["windows"]["images"]) == MAPPED
        assert len(found["recorded"]["alone"]["filters"]) == 30
