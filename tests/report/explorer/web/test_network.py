"""The network that runs in the page, compared with torch, and with itself starting afresh."""

from itertools import product

import pytest
import torch
from tests import toys
from tests.report.explorer import networks
from tests.report.explorer.web import node

from convscope.nets import zoo
from convscope.nets.receptive_field import conv_layers
from convscope.report.explorer import network

pytestmark = node.needed

IMAGES = toys.noise(3, seed=2)
# the network's answers one after another, and of each how far it is from that of a new network to
# the covered image
ANSWERS = """
const pixels = images(given.images);
const values = weights(given.packed);
const network = new Network(given.layers, values);
return given.asked.map(([image, off, window]) => {
  const { logits, maps } = network.answer(pixels[image], offs(off), window);
  const found = { logits: sent(logits) };
  for (const [layer, map] of maps) found[layer] = sent(map);
  const fresh = new Network(given.layers, values)
    .answer(pixelsNow({ pixels: pixels[image] }, window), offs(off), null);
  const same = (one, other) =>
    one.length === other.length && one.every((value, at) => value === other[at]);
  const stale = [...maps].filter(([layer, map]) => !same(map, fresh.maps.get(layer)));
  return { found, stale: stale.map(([layer]) => layer), same: same(logits, fresh.logits) };
});
"""


def answers(module, asked):
    return node.evaluated(
        {"network": "Network, pixelsNow", "data": "weights"},
        ANSWERS,
        {**network.packed(module), "images": node.text(IMAGES), "asked": asked},
    )


def window(size, row, column):
    return {"size": size, "row": row, "column": column}


def chosen(module, generator):
    """Images, filters that are off, and windows, in no order, as one who plays chooses them."""

    def below(end):
        return int(torch.randint(end, (), generator=generator))

    widths = {name: len(module.get_submodule(name).weight) for name in conv_layers(module)}
    offs = [{}, {}, {name: [below(width)] for name, width in widths.items()}]
    offs += [{name: sorted({below(width), below(width)})} for name, width in widths.items()]
    sizes = (1, 2, 5, 7, 13, 31, 32)
    windows = [None, None, *(window(size, below(33 - size), below(33 - size)) for size in sizes)]
    windows += [window(6, row, column) for row, column in product((0, 26), repeat=2)]
    windows += [window(3, 29, 13), window(1, 31, 31), window(9, 0, 12)]
    asked = []
    for _ in range(36):
        image = asked[-1][0] if asked and below(4) else below(3)
        off = asked[-1][1] if asked and below(3) else offs[below(len(offs))]
        asked.append((image, off, windows[below(len(windows))]))
    return asked


def test_every_network_is_compared():
    assert {net for net, _ in networks.NETS.values()} == set(zoo.NETS)


@pytest.mark.parametrize("name", [*networks.NETS, "norms"])
def test_its_logits_and_maps_are_torch_s_whatever_was_asked_before(name):
    module = networks.built(name)
    asked = chosen(module, torch.Generator().manual_seed(3))
    for (image, off, covered), answer in zip(asked, answers(module, asked), strict=True):
        expected = networks.answer(module, IMAGES[image], off, covered)
        assert answer["found"].keys() == expected.keys()
        for part, values in expected.items():
            found = node.floats(answer["found"][part])
            atol = 1e-3 if part == "logits" else 1e-4
            torch.testing.assert_close(found, values, atol=atol, rtol=0, msg=f"{part} {covered}")
        # to the last bit what a network finds that has not been asked before
        assert answer["same"], (image, off, covered)
        assert answer["stale"] == []


def test_a_window_as_gray_as_the_image_changes_nothing_and_one_that_hides_all_leaves_no_image():
    module = networks.built("net4")
    asked = [(0, {}, None), (0, {}, window(32, 0, 0)), (1, {}, window(32, 0, 0)), (0, {}, None)]
    first, hidden, other, again = [answer["found"]["logits"] for answer in answers(module, asked)]
    assert first == again != hidden == other
    gray = node.evaluated(
        {"network": "Network, GRAY", "data": "weights"},
        """
        const pixels = new Float32Array(3072).fill(GRAY);
        const network = new Network(given.layers, weights(given.packed));
        const without = network.answer(pixels, new Map(), null).logits.slice();
        const { logits } = network.answer(pixels, new Map(), { size: 9, row: 3, column: 20 });
        return [sent(without), sent(logits)];
        """,
        network.packed(module),
    )
    assert gray[0] == gray[1] == hidden


def test_filters_that_were_changed_in_place_are_noticed():
    module = networks.built("net1, stride 2")
    found = node.evaluated(
        {"network": "Network", "data": "weights"},
        """
        const [pixels] = images(given.images);
        const network = new Network(given.layers, weights(given.packed));
        const off = new Map([["conv1", new Set([1])]]);
        const logits = () => sent(network.answer(pixels, off, null).logits);
        const one = logits();
        off.get("conv1").add(0);
        const two = logits();
        off.get("conv1").delete(0);
        return [one, two, logits()];
        """,
        {**network.packed(module), "images": node.text(IMAGES)},
    )
    for logits, filters in zip(found, ([1], [0, 1], [1]), strict=True):
        expected = networks.answer(module, IMAGES[0], {"conv1": filters}, None)["logits"]
        torch.testing.assert_close(node.floats(logits), expected, atol=1e-3, rtol=0)
    assert found[0] == found[2] != found[1]


def test_a_network_worked_out_by_hand():
    """Filters red + 1 and green - blue; logits 10 and 100 times their means."""
    conv = toys.weighted(torch.nn.Conv2d(3, 2, 1), [[1, 0, 0], [0, 1, -1]], [1.0, 0.0])
    linear = torch.nn.Linear(2 * 1024, 2, bias=False)
    toys.weighted(linear, [[10 / 1024] * 1024 + [0] * 1024, [0] * 1024 + [100 / 1024] * 1024])
    module = torch.nn.Sequential()
    for name, layer in (("conv1", conv), ("flatten", torch.nn.Flatten()), ("fc1", linear)):
        module.add_module(name, layer)
    levels = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    levels[:, 0], levels[:, 1] = 255, 51
    asks = [[{}, None], [{"conv1": [0]}, None], [{"conv1": [1]}, None], [{}, window(16, 0, 0)]]
    found = node.evaluated(
        {"network": "Network", "data": "weights"},
        """
        const [pixels] = images(given.images);
        const network = new Network(given.layers, weights(given.packed));
        const logits = (off, window) => network.answer(pixels, offs(off), window).logits;
        return given.asked.map(([off, window]) => [...logits(off, window)]);
        """,
        {**network.packed(module.eval()), "images": node.text(levels), "asked": asks},
    )
    quarter = 10 * (0.75 * 2 + 0.25 * (1 + 128 / 255))
    expected = [[20, 20], [10, 20], [20, 0], [quarter, 15]]
    assert [pytest.approx(each, rel=1e-4, abs=1e-4) for each in expected] == found


def test_reached_is_what_a_part_of_the_input_can_change():
    shapes = [
        {"kernel": kernel, "stride": stride, "padding": padding, "side": side}
        for kernel, stride, padding, side in product((1, 2, 3, 7), (1, 2, 3), (0, 1), (7, 8))
        if kernel <= side + 2 * padding
    ]
    for shape in shapes:
        room = shape["side"] + 2 * shape["padding"] - shape["kernel"]
        shape["size"] = room // shape["stride"] + 1
    found = node.evaluated(
        {"network": "reached"},
        """
        return given.map((shape) => {
          const all = [];
          for (let top = 0; top < shape.side; top += 1) {
            for (let bottom = top + 1; bottom <= shape.side; bottom += 1) {
              const row = reached(shape, { top: 0, left: top, bottom: 1, right: bottom });
              const column = reached(shape, { top, left: 0, bottom, right: 1 });
              all.push([top, bottom, row.left, row.right, column.top, column.bottom]);
            }
          }
          return all;
        });
        """,
        shapes,
    )
    for shape, all_parts in zip(shapes, found, strict=True):
        for first, end, left, right, top, bottom in all_parts:
            seen = [
                at
                for at in range(shape["size"])
                if any(
                    first <= at * shape["stride"] - shape["padding"] + tap < end
                    for tap in range(shape["kernel"])
                )
            ]
            assert list(range(left, right)) == list(range(top, bottom)) == seen, (shape, first, end)


def test_softmax_is_torch_s_and_large_logits_are_no_obstacle():
    logits = [[1.0, 2.5, -3.0], [900.0, 899.0, -900.0], [0.0, 0.0, 0.0]]
    found = node.evaluated({"network": "softmax"}, "return given.map(softmax);", logits)
    expected = torch.tensor(logits, dtype=torch.float64).softmax(1)
    torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), expected)
