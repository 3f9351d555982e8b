"""Pictures of any size and kind as images of a data set's size."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from convscope.base.errors import UserError
from convscope.data.datasets import IMAGE_SHAPE

WHITE = (255, 255, 255)
# what Pillow may open; it reads others too, some of them by starting other programs
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def read(path: Path) -> torch.Tensor:
    """A picture's middle square, scaled to (3, 32, 32) uint8 RGB by Lanczos' filter.

    It is turned upright as its camera says, and what is transparent becomes white. Of 16 bits of
    gray the upper eight count, of an animation its first picture.

    Raises:
        UserError: There is no such file, or it is not a picture that Pillow can read.
        OSError: The system refuses to read it.
    """
    try:
        content = io.BytesIO(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path} is missing: name a picture that is there") from None
    except IsADirectoryError as error:
        raise _refused(path, error) from None
    try:
        with Image.open(content, formats=FORMATS) as opened:
            upright = ImageOps.exif_transpose(_of_eight_bits(opened)).convert("RGBA")
    except MemoryError:
        raise
    except Exception as error:  # of a broken picture Pillow raises anything
        raise _refused(path, error) from None
    flat = Image.new("RGBA", upright.size, WHITE)
    flat.alpha_composite(upright)
    fitted = ImageOps.fit(flat.convert("RGB"), IMAGE_SHAPE[1:], Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(fitted).copy()).permute(2, 0, 1).contiguous()


def _refused(path: Path, error: Exception) -> UserError:
    why = getattr(error, "strerror", None) or error
    if isinstance(error, UnidentifiedImageError):
        why = "its format is not known"
    return UserError(
        f"{path} is not a picture that can be read ({why}): give a PNG, JPEG or WebP file"
    )


def _of_eight_bits(picture: Image.Image) -> Image.Image:
    """The picture with channels of 0 to 255; Pillow's own conversion cuts larger values off."""
    if picture.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and which value is white is not known")
    if not picture.mode.startswith("I;16"):
        return picture
    gray = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    gray.info["exif"] = picture.getexif().tobytes()
    return gray
