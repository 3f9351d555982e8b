import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from PIL import Image

from convscope.figures import page, style


def test_pictures_are_crisp_and_exactly_in_place(tmp_path):
    board = np.array([[0, 255], [255, 0]], dtype=np.uint8)[..., None].repeat(3, 2)
    sheet = page.Page(100, 60, " ")
    sheet.picture(board, 10, 20, 8, 8)
    sheet.figure.write(tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as image:
        assert image.size == (100 + 2 * page.MARGIN, 60 + page.TOP + page.MARGIN)
        gray = np.asarray(image.convert("L"))
    left, top = page.MARGIN + 10, page.TOP + 20
    expected = np.kron([[0, 255], [255, 0]], np.ones((4, 4)))
    assert gray[top : top + 8, left : left + 8].tolist() == expected.tolist()
    outside = gray.copy()
    outside[top : top + 8, left : left + 8] = 255
    assert (outside == 255).all()


def test_a_long_title_widens_the_page():
    title = "a title that is much longer than fifty pixels"
    wide = page.Page(50, 20, title)
    shown = page.text_width(title, page.TITLE_SIZE, "bold")
    assert wide.figure.bbox.width == pytest.approx(shown + 2 * page.MARGIN)


def test_a_panel_lies_where_the_page_says():
    sheet = page.Page(200, 100, "title")
    axes = sheet.panel(20, 30, 40, 50)
    corners = sheet.axes.transData.transform([(20, 80), (60, 30)])
    assert axes.bbox.get_points() == pytest.approx(corners)


def test_text_width_agrees_with_the_renderer():
    sheet = page.Page(400, 50, "title")
    sheet.text(0, 10, "cat taken for dog (102)")
    drawn = sheet.axes.texts[1].get_window_extent(FigureCanvasAgg(sheet.figure).get_renderer())
    assert page.text_width("cat taken for dog (102)") == pytest.approx(drawn.width, rel=0.03)
    assert page.text_width(" ") == 0


@pytest.mark.parametrize("text", ["", " ", "\N{NO-BREAK SPACE}"])
def test_what_leaves_no_ink_has_no_width(text):
    assert page.text_width(text) == 0


@pytest.mark.parametrize(
    "text", ["W", "of 316 images (true \N{RIGHTWARDS ARROW} predicted)", "f.", "-"]
)
def test_text_ends_where_its_outline_does(text):
    path = TextPath((0, 0), text, size=page.TEXT_SIZE, prop=FontProperties(family=style.FONT))
    assert page.text_width(text) == pytest.approx(path.get_extents().x1 * style.DPI / 72, abs=1e-6)


def test_pixels_puts_the_channels_last():
    image = torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2)
    assert page.pixels(image)[0, 1].tolist() == [1, 5, 9]
