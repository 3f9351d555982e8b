"""Read CIFAR-10's archive, in either official layout, into arrays.

The archive is not trusted: nothing is extracted to disk, only the layouts' plain files are looked
at, sizes are limited, and the python layout's pickles can make pixel arrays, nothing else.

Source of the layouts: https://www.cs.toronto.edu/~kriz/cifar.html
"""

import gzip
import io
import pickle
import pickletools
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tarfile import TarError
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convscope.base.errors import UserError

MAX_UNPACKED_BYTES = 256 << 20  # the official archives unpack to 186 MB
MAX_BATCH_IMAGES = 10_000
MAX_MEMBER_BYTES = 33 << 20  # 10,000 images of 3,073 bytes, in the python layout with file names
MAX_PICKLED_OBJECTS = 10 * MAX_BATCH_IMAGES  # a batch has a label and a file name for each image
MAX_MESSAGE = 200
PIXELS = 3 * 32 * 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# the opcodes that number an object of a pickle
_NUMBERING = ("PUT", "BINPUT", "LONG_BINPUT")
# what gzip, tarfile and the decoders raise of bytes that are wrong
_BROKEN = (OSError, EOFError, ValueError, ArithmeticError, RecursionError, zlib.error, TarError)

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


class Arrays(NamedTuple):
    """CIFAR-10 in its archive's order: (N, 3, 32, 32) uint8 images, (N,) int64 labels in 0..9."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels


def read(path: Path) -> Arrays:
    """Read a .tar.gz archive in the official layouts; anything else is a UserError.

    Toy archives may hold fewer than 10,000 images a batch. Links and members with other names are
    ignored. Memory: about twice the archive's size.
    """
    try:
        return _arrays(_members(path))
    except _BROKEN as error:
        raise UserError(
            f"{path} is damaged or not a CIFAR-10 archive ({_shortened(error)}): put the url and "
            "md5 of an archive in the official python or binary layout into data.archives (another "
            "copy with the same md5 would be the same)"
        ) from None


def _shortened(error: Exception) -> str:
    """An exception's message on one line; of one that quotes the archive, the beginning."""
    return " ".join(str(error)[:MAX_MESSAGE].split()) or type(error).__name__


def _members(path: Path) -> dict[str, memoryview]:
    """The expected members by name, as views of the unpacked archive."""
    with gzip.open(path) as stream:
        content = stream.read(MAX_UNPACKED_BYTES + 1)
    if len(content) > MAX_UNPACKED_BYTES:
        raise ValueError(f"it unpacks to more than {MAX_UNPACKED_BYTES} bytes")
    expected = {name for layout in LAYOUTS for name in layout.members}
    found: dict[str, memoryview] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        for member in tar:
            if member.name not in expected:
                continue
            if not member.isreg() or member.issparse():
                raise ValueError(f"{member.name} is not a plain file")
            if member.size > MAX_MEMBER_BYTES:
                raise ValueError(f"{member.name} is too large: {member.size} bytes")
            if member.name in found:
                raise ValueError(f"{member.name} is there twice")
            found[member.name] = memoryview(content)[member.offset_data :][: member.size]
    return found


def _arrays(members: Mapping[str, memoryview]) -> Arrays:
    """The members' content, decoded, checked and put together."""
    layout = next((each for each in LAYOUTS if any(name in members for name in each.members)), None)
    if layout is None:
        raise ValueError(f"it holds neither {LAYOUTS[0].folder} nor {LAYOUTS[1].folder}")
    *batches, meta = layout.members
    if lacking := [name for name in batches if name not in members]:
        raise ValueError(f"it lacks {', '.join(lacking)}")
    if meta in members and (classes := layout.classes(members[meta])) != CLASSES:
        raise ValueError(f"{meta} names other classes: {', '.join(classes)}")
    decoded = [_checked(name, *layout.batch(members[name])) for name in batches]
    images, labels = zip(*decoded, strict=True)
    return Arrays(
        np.concatenate(images[:-1]), np.concatenate(labels[:-1]), images[-1].copy(), labels[-1]
    )


def _checked(name: str, pixels: Images, labels: Sequence[int]) -> tuple[Images, Labels]:
    """A batch's images as (n, 3, 32, 32), and its labels, checked."""
    if pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise ValueError(f"{name} holds pixels of shape {pixels.shape}, not (n, {PIXELS})")
    if len(pixels) != len(labels) or not 1 <= len(pixels) <= MAX_BATCH_IMAGES:
        raise ValueError(f"{name} holds {len(pixels)} images and {len(labels)} labels")
    if not all(type(label) is int and 0 <= label < len(CLASSES) for label in labels):
        raise ValueError(f"{name} holds labels outside 0..9")
    return pixels.reshape(-1, 3, 32, 32), np.array(labels, np.int64)


class _PickledType:
    """Stands in for numpy.dtype: bytes, or refused."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        if code not in ("u1", b"u1", "|u1", b"|u1"):
            raise ValueError(f"it holds an array of type {code!r}, not uint8")

    def __setstate__(self, state: object) -> None: ...


class _PickledArray:
    """Stands in for numpy.ndarray, whose own unpickling trusts a pickle with raw memory."""

    def __init__(self, *_: object) -> None:
        self.pixels = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[int, tuple[int, ...], _PickledType, bool, bytes]) -> None:
        _, shape, _, fortran, raw = state
        self.pixels = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


def _from_buffer(raw: bytes, _: object, shape: tuple[int, ...], order: str) -> _PickledArray:
    """Stands in for numpy's reconstruction under pickle protocol 5."""
    array = _PickledArray()
    array.__setstate__((1, shape, _PickledType("u1"), order == "F", raw))
    return array


def _encode(text: str, encoding: str) -> bytes:
    """Stands in for codecs.encode, by which Python 3 writes bytes under pickle protocol 2."""
    if encoding != "latin1":
        raise ValueError(f"it names the encoding {encoding!r}")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _PickledArray,
    ("numpy", "dtype"): _PickledType,
    ("numpy.core.multiarray", "_reconstruct"): _PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): _PickledArray,
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


def _unpickled(content: memoryview) -> dict[str, Any]:
    """A pickled dictionary; Python 2's byte string keys become strings."""
    try:
        # first: this also refuses a text that claims to be longer than the pickle
        for opcode, argument, _ in pickletools.genops(io.BytesIO(content)):
            # a large number would have more memory set aside than the pickle's own bytes can fill
            if opcode.name in _NUMBERING and (argument or 0) > MAX_PICKLED_OBJECTS:
                raise ValueError(f"its pickle numbers an object {argument}")
        # "bytes": Python 2 pickled its strings, pixels among them, without an encoding
        stored = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        return {k.decode() if isinstance(k, bytes) else k: v for k, v in stored.items()}
    except Exception as error:  # a broken pickle can raise anything
        raise ValueError(_shortened(error)) from None


def _python_batch(content: memoryview) -> tuple[Images, list[int]]:
    """A batch of the python layout: a pickled dictionary with "data" and "labels"."""
    stored = _unpickled(content)
    array, labels = stored.get("data"), stored.get("labels")
    if not isinstance(array, _PickledArray) or not isinstance(labels, list):
        raise ValueError("a batch lacks its data or its labels")
    return array.pixels, labels


def _python_classes(content: memoryview) -> tuple[str, ...]:
    """The class names in batches.meta."""
    names = _unpickled(content).get("label_names")
    if not isinstance(names, list):
        raise ValueError("batches.meta lacks its label_names")
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


def _binary_batch(content: memoryview) -> tuple[Images, list[int]]:
    """A batch of the binary layout: records of a label byte and the pixels."""
    if len(content) % (1 + PIXELS):
        raise ValueError(f"a batch of {len(content)} bytes is not a multiple of {1 + PIXELS}")
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return records[:, 1:], records[:, 0].tolist()


def _binary_classes(content: memoryview) -> tuple[str, ...]:
    """The class names in batches.meta.txt."""
    return tuple(bytes(content).decode().split())


class _Layout(NamedTuple):
    """An official layout: its members' names, and how a batch and the class names are read."""

    folder: str
    suffix: str
    meta: str
    batch: Callable[[memoryview], tuple[Images, list[int]]]
    classes: Callable[[memoryview], tuple[str, ...]]

    @property
    def members(self) -> list[str]:
        """The five training batches, the test batch, and the class names, which may be absent."""
        batches = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
        names = (*(f"{batch}{self.suffix}" for batch in batches), self.meta)
        return [f"{self.folder}/{name}" for name in names]


LAYOUTS = (
    _Layout("cifar-10-batches-py", "", "batches.meta", _python_batch, _python_classes),
    _Layout("cifar-10-batches-bin", ".bin", "batches.meta.txt", _binary_batch, _binary_classes),
)
