"""Read pickles that hold pixel arrays, texts and numbers; a pickle of anything else is refused."""

import io
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_OBJECTS = 500_000  # a batch of 50,000 images has labels and a file name for each
MAX_MESSAGE = 200
# the opcodes that number an object of a pickle
_NUMBERING = ("PUT", "BINPUT", "LONG_BINPUT")

Images = npt.NDArray[np.uint8]


def shortened(error: Exception) -> str:
    """An exception's message on one line; of one that quotes the archive, the beginning."""
    return " ".join(str(error)[:MAX_MESSAGE].split()) or type(error).__name__


class _PickledType:
    """Stands in for numpy.dtype: bytes, or refused."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        if code not in ("u1", b"u1", "|u1", b"|u1"):
            raise ValueError(f"it holds an array of type {code!r}, not uint8")

    def __setstate__(self, state: object) -> None: ...


class Array:
    """Stands in for numpy.ndarray, whose own unpickling trusts a pickle with raw memory."""

    def __init__(self, *_: object) -> None:
        self.pixels = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[int, tuple[int, ...], _PickledType, bool, bytes]) -> None:
        _, shape, _, fortran, raw = state
        self.pixels = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


def _from_buffer(raw: bytes, _: object, shape: tuple[int, ...], order: str) -> Array:
    """Stands in for numpy's reconstruction under pickle protocol 5."""
    array = Array()
    array.__setstate__((1, shape, _PickledType("u1"), order == "F", raw))
    return array


def _encode(text: str, encoding: str) -> bytes:
    """Stands in for codecs.encode, by which Python 3 writes bytes under pickle protocol 2."""
    if encoding != "latin1":
        raise ValueError(f"it names the encoding {encoding!r}")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): _PickledType,
    ("numpy.core.multiarray", "_reconstruct"): Array,
    ("numpy._core.multiarray", "_reconstruct"): Array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        """Look a global name up among those by which numpy arrays are pickled."""
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"its pickle names {module}.{name}, which is not an array")
        return _ADMITTED[module, name]


def load(content: memoryview) -> dict[str, Any]:
    """A pickled dictionary; Python 2's byte string keys become strings."""
    try:
        # first: this also refuses a text that claims to be longer than the pickle
        for opcode, argument, _ in pickletools.genops(io.BytesIO(content)):
            # a large number would have more memory set aside than the pickle's own bytes can fill
            if opcode.name in _NUMBERING and (argument or 0) > MAX_OBJECTS:
                raise ValueError(f"its pickle numbers an object {argument}")
        # "bytes": Python 2 pickled its strings, pixels among them, without an encoding
        stored = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        return {k.decode() if isinstance(k, bytes) else k: v for k, v in stored.items()}
    except Exception as error:  # a broken pickle can raise anything
        raise ValueError(shortened(error)) from None
