import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from PIL import Image

from convscope.figures import atlas, diagrams, style
from convscope.nets import layer_table, zoo

DROPS = pd.DataFrame({"layer": "conv1", "filter": [0, 1], "drop_percent": [0.5, -0.2]})


@style.styled()
def wavy():
    figure, panels = style.chart(300, 200, "a title", 1, 2)
    for axes in panels.flat:
        axes.plot(np.sin(np.arange(20)), label="sine")
        axes.set(xlabel="x", ylabel="y")
    figure.legend(loc="outside lower center")
    return figure


@pytest.mark.parametrize(
    "draw",
    [
        wavy,
        lambda: atlas.atlas(DROPS, [True, False], 1800),
        lambda: diagrams.network(layer_table.table(zoo.layers("net1")), "net1"),
    ],
    ids=["chart", "atlas", "network"],
)
def test_a_figure_written_or_drawn_twice_has_the_same_bytes(draw, tmp_path):
    figure = draw()
    for name, each in {"first": figure, "again": figure, "redrawn": draw()}.items():
        each.write(tmp_path / name)
    first, *others = [path.read_bytes() for path in tmp_path.iterdir()]
    assert others == [first] * 2
    assert figure._repr_png_() == first


def test_a_saved_figure_has_its_size_in_pixels_and_names_no_software(tmp_path):
    wavy().write(tmp_path / "new folder" / "figure.png")
    with Image.open(tmp_path / "new folder" / "figure.png") as image:
        assert image.size == (300, 200)
        assert set(image.info) == {"dpi"}


def test_the_users_own_settings_change_nothing_and_are_left_alone(tmp_path):
    wavy().write(tmp_path / "plain.png")
    mine = {"font.size": 20, "axes.facecolor": "red", "lines.linewidth": 9, "savefig.dpi": 30}
    with matplotlib.rc_context(mine):
        wavy().write(tmp_path / "mine.png")
        assert {key: matplotlib.rcParams[key] for key in mine} == mine
    assert (tmp_path / "mine.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


def test_a_failed_save_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_bytes(b"earlier")

    def fail(partial, *_pixels, **_options):
        partial.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(image, "imsave", fail)
    with pytest.raises(OSError, match="disk full"):
        wavy().write(path)
    assert [file.name for file in tmp_path.iterdir()] == ["figure.png"]
    assert path.read_bytes() == b"earlier"


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([5.0, 1.0, 3.0], [5.0, 1.0, 3.0]),
        ([2.0, 2.0], [1.5, 2.5]),
        ([0.0, 0.2, 0.9, 9.0], [-0.6333333, 0.3666667, 1.3666667, 9.0]),
        ([], []),
    ],
)
def test_labels_keep_their_order_and_distance(wanted, placed):
    assert style.apart(wanted, 1.0) == pytest.approx(placed)


def test_a_scale_goes_from_one_end_of_its_colors_to_the_other():
    assert style.scale("gray", 3) == ["#000000", "#808080", "#ffffff"]
    assert style.scale("gray_r", 2) == ["#ffffff", "#000000"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((style.signed(3), "+3"), (style.signed(-12), "-12"), (style.signed(0), "0")),
        *((style.signed(-0.04, 1), "0.0"), (style.signed(0.06, 1), "+0.1")),
        *((style.fixed(3, 2), "3.00"), (style.fixed(-12.346, 2), "-12.35")),
        *((style.fixed(-0.004, 2), "0.00"), (style.brief(-1234.5), "-1234")),
        *((style.brief(0.5), "0.5"), (style.brief(100), "100")),
    ],
)
def test_numbers_have_a_true_minus_and_zero_has_no_sign(text, expected):
    assert text == expected.replace("-", "\N{MINUS SIGN}")
