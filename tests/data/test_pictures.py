import errno
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.data import pictures
from tests import toys

RED, BLUE, WHITE = (200, 10, 20), (5, 15, 250), (255, 255, 255)


def read(picture, path, **options):
    picture.save(path, **options)
    return pictures.read(path)


def everywhere(color):
    return torch.tensor(color, dtype=torch.uint8)[:, None, None].expand(3, 32, 32)


def halves(width=32, height=32):
    """Red in its upper half, blue below."""
    found = Image.new("RGB", (width, height), BLUE)
    found.paste(RED, (0, 0, width, height // 2))
    return found


def test_a_picture_of_an_image_s_size_stays_as_it_is(tmp_path):
    image = toys.noise(1)[0]
    found = read(Image.fromarray(image.permute(1, 2, 0).numpy()), tmp_path / "a.png")
    assert found.dtype == torch.uint8
    assert found.is_contiguous()
    assert torch.equal(found, image)


@pytest.mark.parametrize("size", [(64, 200), (200, 64), (33, 32), (64, 64)])
def test_the_middle_square_is_scaled(size, tmp_path):
    width, height = size
    side = min(size)
    picture = Image.new("RGB", size, BLUE)
    corner = ((width - side) // 2, (height - side) // 2)
    picture.paste(RED, (*corner, corner[0] + side, corner[1] + side))
    found = read(picture, tmp_path / "a.png")
    # at the edges the filter sees some pixels beyond the square
    assert torch.equal(found[:, 4:-4, 4:-4], everywhere(RED)[:, 4:-4, 4:-4])


def test_a_picture_smaller_than_an_image_is_scaled_up(tmp_path):
    assert torch.equal(read(Image.new("RGB", (1, 5), RED), tmp_path / "a.png"), everywhere(RED))


def test_scaling_is_by_lanczos(tmp_path):
    picture = Image.fromarray(toys.noise(1, size=96)[0].permute(1, 2, 0).numpy())
    expected = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS))
    found = read(picture, tmp_path / "a.png")
    assert torch.equal(found, torch.from_numpy(expected.copy()).permute(2, 0, 1))


def test_a_picture_is_turned_upright_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    found = read(halves(), tmp_path / "a.png", exif=exif)
    assert found[:, 0, 0].tolist() == list(BLUE)
    assert found[:, -1, 0].tolist() == list(RED)


@pytest.mark.parametrize(
    ("mode", "color", "seen"),
    [
        ("RGBA", (*RED, 0), WHITE),
        ("RGBA", (*RED, 255), RED),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (7, 0), WHITE),
        ("L", 77, (77, 77, 77)),
        ("1", 1, WHITE),
        ("I;16", 77 * 256 + 200, (77, 77, 77)),
    ],
)
def test_what_is_transparent_is_white_and_gray_has_three_channels(mode, color, seen, tmp_path):
    assert torch.equal(read(Image.new(mode, (40, 30), color), tmp_path / "a.png"), everywhere(seen))


@pytest.mark.parametrize("ending", ["jpg", "webp", "gif", "bmp", "tif"])
def test_usual_kinds_of_files_are_read(ending, tmp_path):
    found = read(Image.new("RGB", (50, 40), RED), tmp_path / f"a.{ending}").int()
    assert (found - everywhere(RED).int()).abs().max() <= 4


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n then nothing", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_what_is_no_picture_is_refused_in_a_line(content, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    line = toys.refusal(pictures.read, path)
    assert line.startswith(f"{path} is not a picture that can be read")
    assert line.endswith("give a PNG, JPEG or WebP file")


def test_half_a_picture_a_folder_and_nothing_are_refused_in_a_line(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(toys.noise(1)[0, 0].numpy()).save(path)
    path.write_bytes(path.read_bytes()[:400])
    assert "is not a picture that can be read" in toys.refusal(pictures.read, path)
    assert "is not a picture that can be read" in toys.refusal(pictures.read, tmp_path)
    gone = tmp_path / "gone.png"
    assert toys.refusal(pictures.read, gone) == f"{gone} is missing: name a picture that is there"


def test_a_picture_that_leads_beyond_every_file_is_refused_in_a_line(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 2**60))  # a BigTIFF
    assert "is not a picture that can be read" in toys.refusal(pictures.read, path)


@pytest.mark.parametrize("ending", ["png", "webp"])
def test_a_picture_whose_camera_says_rubbish_is_refused_in_a_line(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    halves(40, 40).save(path, exif=b"Exif\0\0MM\0*")
    assert "is not a picture that can be read" in toys.refusal(pictures.read, path)


def test_what_the_system_refuses_to_read_may_be_a_picture(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(PermissionError, match=r"a\.png"):
        pictures.read(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_without_a_range_are_no_picture(mode, tmp_path):
    path = tmp_path / "a.tif"
    Image.new(mode, (40, 40), 30_000).save(path)
    line = toys.refusal(pictures.read, path)
    assert line.endswith("give a PNG, JPEG or WebP file")


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    halves(64, 64).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "decompression bomb" in toys.refusal(pictures.read, path)
