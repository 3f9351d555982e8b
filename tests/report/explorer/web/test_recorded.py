"""What the page shows of a network that is too wide for it: computed before, by torch."""

from itertools import product

import pytest
import torch
from tests import toys
from tests.report.explorer import folders, networks
from tests.report.explorer.web import node

from convscope.data.datasets import DataSet
from convscope.report.explorer import content, network

pytestmark = node.needed

IMAGES, LABELS = toys.noise(30, seed=6), torch.arange(30) % 3
DATASET = DataSet(IMAGES, LABELS, IMAGES, LABELS, ("red", "green", "blue"), {}, "", "")
OWN = list(toys.noise(1, seed=7))


@pytest.fixture(scope="module")
def module():
    return networks.tiny()


@pytest.fixture
def page(module, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "is_live", lambda _: False)
    return content.gather("net3", module, DATASET, folders.write(tmp_path), 6, OWN)


def answers(page, asked):
    return node.evaluated(
        {"recorded": "Recorded", "data": "unpacked"},
        """
        const page = unpacked(given.page);
        const found = [];
        const recorded = new Recorded(page, (answer) => found.push(answer));
        for (const [number, off, window] of given.asked) {
          const image = page.images.find((each) => each.number === number);
          recorded.ask({ image, off: offs(off), window });
        }
        await null;
        return found.map(({ probabilities, maps, missing }) => ({
          probabilities, missing,
          maps: Object.fromEntries([...maps].map(([layer, map]) => [layer, sent(map)])),
        }));
        """,
        {"page": page, "asked": asked},
    )


def image_of(number):
    return OWN[-number - 1] if number < 0 else IMAGES[number]


def test_answers_are_torch_s_for_windows_and_filters_that_were_computed(module, page):
    asked = [(number, {}, None) for number in (-1, 7, 2, 9)]
    for number, size in product((-1, 7, 2), (30, 31)):
        room = 32 - size
        places = [(0, 0), (room, 0), (0, room), (room, room)]
        asked += [
            (number, {}, {"size": size, "row": row, "column": column}) for row, column in places
        ]
    offs = [folders.FILTERS, {"conv1": [0]}, {"conv2": [2]}, {"conv2": [0]}, {"conv1": [2]}]
    asked += [(number, off, None) for number in (-1, 7, 9) for off in offs]
    for (number, off, window), answer in zip(asked, answers(page, asked), strict=True):
        expected = networks.answer(module, image_of(number), off, window)
        found = torch.tensor(answer["probabilities"])
        torch.testing.assert_close(found, expected["logits"].softmax(0), atol=1e-4, rtol=0)


def test_the_maps_of_the_untouched_image_are_those_of_the_study_s_filters(module, page):
    for number, answer in zip((7, -1), answers(page, [(7, {}, None), (-1, {}, None)]), strict=True):
        assert set(answer["maps"]) == set(folders.FILTERS)
        for layer, sent in answer["maps"].items():
            expected = networks.answer(module, image_of(number), {}, None)[layer].view(3, -1)
            found = node.floats(sent).view(3, -1)
            scale = page["recorded"]["maps"][layer]["scale"]
            for index in range(3):
                if index in folders.FILTERS[layer]:
                    torch.testing.assert_close(
                        found[index], expected[index], atol=scale / 127, rtol=0
                    )
                else:
                    assert found[index].isnan().all()


def test_of_all_else_there_is_no_answer_and_the_page_says_so(page):
    window = {"size": 30, "row": 0, "column": 1}
    asked = [
        (9, {}, window),
        (7, {}, {**window, "size": 7}),
        (7, {"conv1": [0]}, window),
        (7, {"conv2": [1]}, None),
        (7, {"conv1": [0, 1]}, None),
    ]
    for answer in answers(page, asked):
        assert (answer["probabilities"], answer["maps"]) == (None, {})
        assert "was not computed before. What was" in answer["missing"]
