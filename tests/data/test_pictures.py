import numpy as np
import pytest
import torch
from PIL import Image

from convscope.data import pictures
from tests import toys

LEFT_DARK = np.repeat(np.array([[0, 255]], np.uint8), 32, axis=1).repeat(64, axis=0)


def left_and_right(image):
    """The red of a picture's middle row, at its left and its right."""
    return image[0, 16, [0, -1]].tolist()


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_the_kinds_of_pictures(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    Image.fromarray(LEFT_DARK).save(path)
    image = pictures.read(path)
    assert (image.shape, image.dtype) == ((3, 32, 32), torch.uint8)
    dark, light = left_and_right(image)
    assert dark < 10
    assert light > 245


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_the_modes_of_pictures(tmp_path, mode):
    Image.fromarray(LEFT_DARK).convert(mode).save(tmp_path / "a.png")
    assert left_and_right(pictures.read(tmp_path / "a.png")) == [0, 255]


def test_of_16_bits_of_gray_the_upper_8_count(tmp_path):
    wide = LEFT_DARK.astype(np.uint16) // 2 * 257
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert left_and_right(pictures.read(tmp_path / "a.png")) == [0, 127]


def test_what_is_transparent_is_white_and_a_turned_picture_upright(tmp_path):
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (pictures.read(tmp_path / "clear.png") == 255).all()
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(LEFT_DARK).save(tmp_path / "turned.png", exif=exif)
    assert left_and_right(pictures.read(tmp_path / "turned.png")) == [255, 0]


def test_the_middle_square_is_taken(tmp_path):
    wide = np.zeros((32, 96), np.uint8)
    wide[:, 32:64] = 200
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert pictures.read(tmp_path / "a.png").unique().tolist() == [200]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "is missing"),
        (b"", "is not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not a pic"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, content, why):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    assert why in toys.refusal(pictures.read, tmp_path / "a.png")


def test_pixels_whose_white_nobody_knows_are_refused(tmp_path):
    Image.fromarray(LEFT_DARK.astype(np.float32)).save(tmp_path / "a.tif")
    assert "32 bits" in toys.refusal(pictures.read, tmp_path / "a.tif")
