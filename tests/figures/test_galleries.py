import numpy as np
import torch
from matplotlib.patches import Rectangle
from tests.figures.labels import texts

from convscope.figures import galleries

CLASSES = ("plane", "car", "bird")


def plain(*levels):
    """Images of a single gray level each."""
    return torch.stack([torch.full((3, 32, 32), level, dtype=torch.uint8) for level in levels])


def shown(figure):
    """(left, top, mean level) of each picture of a page."""
    images = [(image.get_extent(), image.get_array()) for image in figure.axes[0].images]
    return [(left, top, float(np.mean(cells))) for (left, _, _, top), cells in images]


def in_rows(figure):
    """``shown``, with lefts from that of the first picture on."""
    places = shown(figure)
    return [(left - places[0][0], top, level) for left, top, level in places]


def test_samples_has_a_row_of_its_first_images_for_each_class(monkeypatch):
    monkeypatch.setattr(galleries, "PER_CLASS", 2)
    pictures = plain(10, 20, 30, 40, 50)
    figure = galleries.samples(pictures, torch.tensor([1, 0, 1, 1, 0]), CLASSES)
    # images of 32 pixels, 2 pixels apart, at 3 screen pixels each; no bird
    assert in_rows(figure) == [(0, 0, 20), (102, 0, 50), (0, 102, 10), (102, 102, 30)]
    assert texts(figure)[1:] == list(CLASSES)
    rows = [text.get_position()[1] for text in figure.axes[0].texts[1:]]
    assert rows == [48, 150, 252]


def test_samples_of_many_classes_are_one_of_each(monkeypatch):
    monkeypatch.setattr(galleries, "MOST_ROWS", 2)
    pictures, labels = plain(10, 20, 30, 40, 50), torch.tensor([2, 0, 2, 1, 0])
    figure = galleries.samples(pictures, labels, CLASSES)
    assert texts(figure) == ["The first image of each class (3)", *CLASSES]
    assert [level for *_, level in shown(figure)] == [20, 40, 10]
    monkeypatch.setattr(galleries, "MOST_SAMPLES", 2)
    figure = galleries.samples(pictures, labels, CLASSES)
    assert texts(figure) == ["The first image of each class (2 of 3)", "plane", "car"]


def test_gallery_wraps_into_rows_and_keeps_captions_with_their_images(monkeypatch):
    monkeypatch.setattr(galleries, "THUMBNAILS", 2)
    figure = galleries.gallery(plain(1, 2, 3), ["one", "two", "three"], "all")
    assert texts(figure) == ["all", "one", "two", "three"]
    places = shown(figure)
    assert [level for *_, level in places] == [1, 2, 3]
    assert places[0][1] == places[1][1] < places[2][1]
    assert places[0][0] == places[2][0] < places[1][0]
    lefts = [text.get_position()[0] for text in figure.axes[0].texts[1:]]
    assert lefts == [left for left, *_ in places]


def test_long_captions_are_wrapped_and_short_ones_are_not():
    caption = "cat, taken for automobile with confidence 0.93"
    figure = galleries.gallery(plain(1, 2), [caption, "dog"], "all")
    _, long, short = texts(figure)
    assert long.replace("\n", " ") == caption
    assert long.count("\n") >= 1
    assert short == "dog"


def test_nothing_to_show_says_so():
    empty = galleries.gallery(plain(1)[:0], [], "none")
    for figure in (empty, galleries.pair_gallery([]), galleries.top_images([])):
        assert "no image to show" in texts(figure)
        assert not figure.axes[0].images


def test_pair_gallery_has_a_row_for_each_pair():
    figure = galleries.pair_gallery(
        [("cat taken for dog (102)", plain(5, 6)), ("dog taken for cat (1)", plain(9))]
    )
    assert texts(figure)[1:] == ["cat taken for dog (102)", "dog taken for cat (1)"]
    assert in_rows(figure) == [(0, 0, 5), (102, 0, 6), (0, 102, 9)]


def test_filter_pictures_are_numbered_tiles():
    figure = galleries.filter_pictures(torch.linspace(0, 1, 18 * 27).reshape(18, 3, 3, 3))
    assert texts(figure)[1:] == [*map(str, range(18))]
    places = shown(figure)
    assert len(places) == 18
    assert places[16][0] == places[0][0]


def block(**changes):
    usual = {
        "name": "conv3/1",
        "dead": False,
        "images": plain(10, 20),
        "boxes": [(0, 4, 7, 11), (30, 0, 32, 4)],
        "captions": ["cat 9.1", "dog 8.0"],
    }
    return usual | changes


def test_top_images_outline_the_patch_and_enlarge_it():
    pictures = plain(0, 0)
    pictures[0, :, 0:7, 4:11] = 200
    figure = galleries.top_images([block(images=pictures)])
    assert texts(figure)[1:] == ["conv3/1", "cat 9.1", "dog 8.0"]
    image, patch, _, clipped = figure.axes[0].images
    assert patch.get_array().shape == (7, 7, 3)
    assert (patch.get_array() == 200).all()
    left, _, _, top = image.get_extent()
    outline = next(p for p in figure.axes[0].patches if isinstance(p, Rectangle))
    assert outline.get_xy() == (left + 4 * 3, top)
    assert (outline.get_width(), outline.get_height()) == (21, 21)
    # 2 rows and 4 columns at the border: as wide as an image, half as high
    left, right, bottom, top = clipped.get_extent()
    assert (right - left, bottom - top) == (96, 48)


def test_long_names_over_top_images_are_shortened():
    figure = galleries.top_images([block(captions=[f"{'w' * 40} 1.5", "dog 8.0"])])
    (caption,) = [text for text in texts(figure) if text.startswith("w")]
    assert caption.endswith("w\N{HORIZONTAL ELLIPSIS} 1.5")
    assert len(caption) < 20


def test_a_dead_filter_has_a_line_and_no_image():
    figure = galleries.top_images([block(name="conv2/1", dead=True, images=plain(1)[:0])])
    assert texts(figure)[1:] == ["conv2/1", "dead: no test image makes it positive"]
    assert not figure.axes[0].images


def test_two_filters_stand_in_a_row():
    figure = galleries.top_images([block(name=name) for name in ("a", "b", "c")])
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert places["a"][1] == places["b"][1] < places["c"][1]
    assert places["a"][0] == places["c"][0] < places["b"][0]
