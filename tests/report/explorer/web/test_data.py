"""What packing.py packs, unpacked by the page's script."""

import numpy as np
import torch
from tests import toys
from tests.report.explorer import folders
from tests.report.explorer.web import node

from convscope.report.explorer import findings, packing

pytestmark = node.needed


def test_numbers_come_back_as_they_were_packed():
    generator = np.random.default_rng(0)
    weights = generator.normal(size=1000).astype(np.float32)
    shares = [0, 1, 0.5, *generator.uniform(size=100)]
    logits = torch.randn(3, 10)
    steps = np.array([-127, 0, 1, 127], np.int8)
    found = node.evaluated(
        {"data": "weights, shares, floats, integers"},
        """
        return [[...weights(given[0])], [...shares(given[1])], sent(floats(given[2])),
          [...integers(given[3])], [...weights("")], [...shares("")], [...floats("")]];
        """,
        [
            packing.floats(weights),
            packing.shares(shares),
            packing.logits(logits),
            packing.text(steps),
        ],
    )
    np.testing.assert_allclose(found[0], weights, rtol=2.0**-16)
    np.testing.assert_allclose(found[1], shares, atol=0.5 / 65535 + 1e-7)
    assert found[1][:2] == [0, 1]
    assert node.floats(found[2]).tolist() == logits.flatten().tolist()
    assert found[3:] == [[-127, 0, 1, 127], [], [], []]


def test_each_image_has_its_pixels_logits_and_maps(tmp_path):
    images = toys.noise(3)
    logits = torch.randn(3, 2)
    analyses = folders.write(tmp_path)
    numbers = [2, 9, 7]
    content = {
        "side": 32,
        "classes": ["a", "b"],
        "images": [{"number": number, "label": 0, "why": []} for number in numbers],
        "pixels": packing.text(images.numpy()),
        "logits": packing.logits(logits),
        "study": {"filters": folders.FILTERS, "drop": 1.5},
        "maps": findings.maps(analyses.occluded, numbers),
        "net": "net4",
    }
    found = node.evaluated(
        {"data": "unpacked"},
        """
        const page = unpacked(given);
        return {
          images: page.images.map(({ number, label, pixels, logits }) =>
            ({ number, label, pixels: sent(pixels), logits: sent(logits) })),
          study: { ...page.study, filters: sets(page.study.filters) },
          maps: [...page.maps].map(([name, values]) => [name, [...values]]),
          maps_of: [2, 9, 7].map(page.maps_of),
          net: page.net,
        };
        """,
        content,
    )
    for at, image in enumerate(found["images"]):
        assert (image["number"], image["label"]) == (numbers[at], 0)
        assert torch.equal(node.floats(image["pixels"]), images[at].flatten().float() / 255)
        assert torch.equal(node.floats(image["logits"]), logits[at])
    assert found["study"] == content["study"]
    maps = dict(found["maps"])
    assert list(maps) == ["7/30", "2/30", "7/31", "2/31"]
    np.testing.assert_allclose(maps["7/30"], np.arange(9) / 8, atol=1e-5)
    np.testing.assert_allclose(maps["2/30"], np.arange(9) / 16, atol=1e-5)
    np.testing.assert_allclose(maps["7/31"], [0, 0.25, 0.5, 1], atol=1e-5)
    np.testing.assert_allclose(maps["2/31"], [1, 1, 1, 0.75], atol=1e-5)
    assert found["maps_of"] == [[30, 31], [], [30, 31]]
    assert found["net"] == "net4"
