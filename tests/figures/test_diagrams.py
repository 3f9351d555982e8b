from functools import cache
from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from tests.figures.labels import texts

from convscope.figures import diagrams
from convscope.nets import layer_table, zoo

NET4 = {"l1_oc": 64}


@cache
def drawn(net, **point):
    return diagrams.network(layer_table.table(zoo.layers(net, **point)), net)


def fronts(figure, name):
    """Width and height of the fronts of all boxes of a color, the legend's first."""
    corners = [
        patch.get_xy()
        for patch in figure.axes[0].patches
        if patch.get_facecolor()[:3] == pytest.approx(to_rgb(diagrams.COLORS[name]))
    ]
    return [tuple(xy.max(0) - xy.min(0)) for xy in corners]


def test_every_layer_is_drawn_in_its_color():
    figure = drawn("net4", **NET4)
    counts = {name: len(fronts(figure, name)) - 1 for name in diagrams.COLORS}
    numbers = (1, 6, 6, 8, 2, 1, 3, 3)
    assert counts == dict(zip(diagrams.COLORS, numbers, strict=True))
    assert len({to_rgb(color) for color in diagrams.COLORS.values()}) == len(diagrams.COLORS)


def test_heights_follow_the_maps_and_thickness_the_channels():
    _, *convs = fronts(drawn("net4", **NET4), "conv")
    heights = [height for _, height in convs]
    # maps of 32, 32, 30, 15, 15 and 13 pixels
    assert heights[0] == heights[1] > heights[2] > heights[3] == heights[4] > heights[5]
    steps = (heights[0] - heights[2]) / 2, (heights[2] - heights[3]) / 15
    assert steps[0] == pytest.approx(steps[1])
    # 64, 64, 128, 256, 256 and 512 channels
    breadths = [breadth for breadth, _ in convs]
    assert breadths[0] == breadths[1] < breadths[2] < breadths[3] == breadths[4] < breadths[5]
    assert (breadths[3] - 2) / (breadths[0] - 2) == pytest.approx(2)


def test_a_map_of_one_pixel_is_still_seen():
    *_, (_, height) = fronts(drawn("net2", l1_oc=6, kernel_size=7), "conv")
    assert height > 8


def test_blocks_tell_shape_field_and_the_parameters_of_their_layers_together():
    found = texts(drawn("net4", **NET4))
    assert found[0] == "net4: 4,403,518 parameters"
    at = found.index("features")
    assert found[at + 1 : at + 5] == ["3", "64", "64", "128"]
    at = found.index("map")
    assert found[at + 1 : at + 12] == [
        *("32×32", "32×32", "32×32", "30×30", "15×15", "15×15"),  # noqa: RUF001
        *("15×15", "13×13", "6×6", "", ""),  # noqa: RUF001
    ]
    at = found.index("receptive field")
    assert found[at + 7] == "16×16"  # noqa: RUF001
    at = found.index("parameters")
    # 1,792 weights and 128 of its batch norm
    assert found[at + 1 : at + 3] == ["0", "1,920"]
    counts = [int(text.replace(",", "")) for text in found[at + 1 : at + 14]]
    assert sum(counts) == 4403518


def test_the_legend_names_what_is_there_and_nothing_else():
    found = texts(drawn("net3", l1_oc=4, dropout_rate=0.2))
    assert {"convolution", "batch norm", "ReLU", "max pool 2x2", "dropout 0.2"} <= set(found)
    assert not {"batch norm", "dropout 0.2"} & set(texts(drawn("net1")))


@pytest.mark.parametrize(
    ("net", "point"),
    [
        ("baseline", {}),
        ("net1", {"l1_oc": 6, "kernel_size": 5, "stride": 2}),
        ("net3", {}),
        ("net4", NET4),
        ("net4", {"l1_oc": 512}),
    ],
)
def test_no_text_meets_another_and_all_are_on_the_page(net, point):
    figure = drawn(net, **point)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [t.get_window_extent(renderer) for t in figure.axes[0].texts if t.get_text()]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for line in {round((box.y0 + box.y1) / 2) for box in boxes}:
        row = [box for box in boxes if box.y0 < line < box.y1]
        for left, right in pairwise(sorted(row, key=lambda box: box.x0)):
            assert left.x1 + 2 < right.x0


@pytest.mark.parametrize("net", zoo.NETS)
def test_the_studys_networks_fit_the_report(net):
    assert drawn(net).bbox.width <= 1100
