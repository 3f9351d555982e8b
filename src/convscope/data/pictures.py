"""Pictures of any size and kind as images of a data set's size."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from convscope.base.errors import UserError
from convscope.data.datasets import IMAGE_SHAPE

WHITE = (255, 255, 255)


def read(path: Path) -> torch.Tensor:
    """A picture's middle square, scaled to (3, 32, 32) uint8 RGB by Lanczos' filter.

    It is turned upright as its camera says, and what is transparent becomes white.

    Raises:
        UserError: There is no such file, or it is not a picture that Pillow can read.
    """
    try:
        with Image.open(path) as opened:
            upright = _in_bytes(ImageOps.exif_transpose(opened)).convert("RGBA")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: name a picture that is there") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"{path} is not a picture that can be read ({error}): give a PNG, JPEG or WebP file"
        ) from None
    flat = Image.new("RGBA", upright.size, WHITE)
    flat.alpha_composite(upright)
    fitted = ImageOps.fit(flat.convert("RGB"), IMAGE_SHAPE[1:], Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(fitted).copy()).permute(2, 0, 1).contiguous()


def _in_bytes(picture: Image.Image) -> Image.Image:
    """A picture of levels of 16 bits in such of 8, which Pillow would cut off at 255."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise ValueError("its numbers have no range")
    return picture
