"""Arrays as text inside a page, and back in its script: base64 of little-endian bytes."""

from base64 import b64encode

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = npt.NDArray[np.generic]


def text(array: Array) -> str:
    """An array's bytes."""
    return b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def shares(values: npt.ArrayLike) -> str:
    """Numbers in [0, 1], each in two bytes: rounded to 1 / 65535."""
    return text(np.rint(np.asarray(values, dtype=np.float64) * 65535).astype(np.uint16))


def logits(values: Tensor) -> str:
    """Logits, complete floats, image by image."""
    return text(values.float().cpu().numpy())


def floats(values: npt.NDArray[np.float32]) -> str:
    """Floats without their last byte: rounded to 16 binary digits, a relative error below 2e-5.

    Half precision would be a third smaller, but moves logits by more than 1e-3; complete floats
    would be a third larger, for digits that nobody sees.
    """
    words = values.astype("<f4").view("<u4").astype(np.uint64) + 0x80
    kept = words.astype("<u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    return b64encode(np.ascontiguousarray(kept).tobytes()).decode("ascii")
