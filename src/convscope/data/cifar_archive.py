"""Read the archives of CIFAR-10 and CIFAR-100, in either official layout, into arrays.

The archive is not trusted: nothing is extracted to disk, only the layouts' plain files are looked
at, sizes are limited, and the python layout's pickles can make pixel arrays, nothing else. However
it was packed again, the files are found by their names: as a .tar.gz, .tar.xz, .zip or the like,
below any folder, beside any others.

Source of the layouts: https://www.cs.toronto.edu/~kriz/cifar.html
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tarfile import TarError
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from convscope.base.errors import UserError
from convscope.data import array_pickle, packed
from convscope.data.array_pickle import Images

MAX_UNPACKED_BYTES = 256 << 20  # the official archives unpack to 186 MB
MAX_IMAGE_BYTES = 3_460  # in the python layout with its labels and the name of its file
PIXELS = 3 * 32 * 32
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# what the unpackers and the decoders raise of bytes that are wrong; lzma's error is none of these
_WRONG = (EOFError, ValueError, ArithmeticError, RuntimeError, zlib.error, TarError, BadZipFile)

Labels = npt.NDArray[np.int64]


class Arrays(NamedTuple):
    """An archive in its order: (N, 3, 32, 32) uint8 images, (N,) int64 labels, class names."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    classes: tuple[str, ...]


def read(path: Path, source: str = "cifar10") -> Arrays:
    """Read an archive with the files of an official layout; anything else is a UserError.

    The source is one of ``KINDS``. Toy archives may hold fewer images a batch. Memory: about twice
    the archive's size.
    """
    kind = KINDS[source]
    names = [name for layout in kind.layouts for name in layout.members]
    try:
        members = packed.files(path, names, kind.max_member_bytes, MAX_UNPACKED_BYTES)
        return arrays(members, kind)
    except (OSError, *_WRONG) as error:
        if isinstance(error, OSError) and error.errno:  # of an unpacker it has no number
            raise
        why = array_pickle.shortened(error)
        raise UserError(
            f"params.yaml: data.archives: {path} is damaged or not a {kind.name} archive ({why}): "
            "list an archive with the files of the official python or binary version (a copy with "
            "the same md5 is the same)"
        ) from None


def arrays(members: Mapping[str, memoryview], kind: "Kind") -> Arrays:
    """The content of an archive's files, by name, decoded, checked and put together.

    Raises:
        ValueError: They are not those of a layout, or broken; so may others be of ``_WRONG``.
    """
    layouts = kind.layouts
    layout = next((each for each in layouts if any(name in members for name in each.members)), None)
    if layout is None:
        folders = " nor ".join(each.folder for each in layouts)
        raise ValueError(f"it holds the files of neither {folders}")
    *batches, meta = layout.members
    if lacking := [name for name in batches if name not in members]:
        raise ValueError(f"it lacks {', '.join(lacking)}")
    classes = layout.classes(members[meta]) if meta in members else kind.classes
    if not classes:
        raise ValueError(f"it lacks {meta}")
    if (kind.classes and classes != kind.classes) or len(set(classes)) != kind.outputs:
        raise ValueError(f"{meta} names other classes: {', '.join(classes)}")
    decoded = [_checked(name, *layout.batch(members[name]), kind) for name in batches]
    images, labels = zip(*decoded, strict=True)
    trained = np.concatenate(images[:-1]), np.concatenate(labels[:-1])
    return Arrays(*trained, images[-1].copy(), labels[-1], classes)


def _checked(
    name: str, pixels: Images, labels: Sequence[int], kind: "Kind"
) -> tuple[Images, Labels]:
    """A batch's images as (n, 3, 32, 32), and its labels, checked."""
    if pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise ValueError(f"{name} holds pixels of shape {pixels.shape}, not (n, {PIXELS})")
    if len(pixels) != len(labels) or not 1 <= len(pixels) <= kind.max_images:
        raise ValueError(f"{name} holds {len(pixels)} images and {len(labels)} labels")
    if not all(type(label) is int and 0 <= label < kind.outputs for label in labels):
        raise ValueError(f"{name} holds labels outside 0..{kind.outputs - 1}")
    return pixels.reshape(-1, 3, 32, 32), np.array(labels, np.int64)


def _python_batch(key: str, content: memoryview) -> tuple[Images, list[int]]:
    """A batch of the python layout: a pickled dictionary with "data", and labels under a key."""
    stored = array_pickle.load(content)
    array, labels = stored.get("data"), stored.get(key)
    if not isinstance(array, array_pickle.Array) or not isinstance(labels, list):
        raise ValueError("a batch lacks its data or its labels")
    return array.pixels, labels


def _python_classes(key: str, content: memoryview) -> tuple[str, ...]:
    """The class names in the python layout's meta file."""
    names = array_pickle.load(content).get(key)
    if not isinstance(names, list):
        raise ValueError(f"the file of class names lacks its {key}")
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


def _binary_batch(labels: int, content: memoryview) -> tuple[Images, list[int]]:
    """A batch of the binary layout: records of label bytes, of which the last counts, and pixels.

    CIFAR-100's first label is that of a group of classes.
    """
    if len(content) % (labels + PIXELS):
        raise ValueError(f"a batch of {len(content)} bytes is not a multiple of {labels + PIXELS}")
    records = np.frombuffer(content, np.uint8).reshape(-1, labels + PIXELS)
    return records[:, labels:], records[:, labels - 1].tolist()


def _binary_classes(content: memoryview) -> tuple[str, ...]:
    """The class names in the binary layout's text file."""
    return tuple(bytes(content).decode().split())


class _Layout(NamedTuple):
    """An official layout: its files' names, and how a batch and the class names are read.

    The last batch is the test batch; the file of class names, ``meta``, may be absent where they
    are known.
    """

    folder: str
    batches: tuple[str, ...]
    meta: str
    batch: Callable[[memoryview], tuple[Images, list[int]]]
    classes: Callable[[memoryview], tuple[str, ...]]

    @property
    def members(self) -> list[str]:
        """The names of the batches and of the file of class names."""
        return [*self.batches, self.meta]


class Kind(NamedTuple):
    """A data set of this family; ``classes`` is empty where its archive alone has the names."""

    name: str
    outputs: int
    classes: tuple[str, ...]
    max_images: int
    layouts: tuple[_Layout, _Layout]  # python and binary

    @property
    def max_member_bytes(self) -> int:
        """More than any file of an archive has."""
        return self.max_images * MAX_IMAGE_BYTES


_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
KINDS = {
    "cifar10": Kind(
        "CIFAR-10",
        10,
        CIFAR10,
        10_000,
        (
            _Layout(
                "cifar-10-batches-py",
                _BATCHES,
                "batches.meta",
                partial(_python_batch, "labels"),
                partial(_python_classes, "label_names"),
            ),
            _Layout(
                "cifar-10-batches-bin",
                tuple(f"{name}.bin" for name in _BATCHES),
                "batches.meta.txt",
                partial(_binary_batch, 1),
                _binary_classes,
            ),
        ),
    ),
    "cifar100": Kind(
        "CIFAR-100",
        100,
        (),
        50_000,
        (
            _Layout(
                "cifar-100-python",
                ("train", "test"),
                "meta",
                partial(_python_batch, "fine_labels"),
                partial(_python_classes, "fine_label_names"),
            ),
            _Layout(
                "cifar-100-binary",
                ("train.bin", "test.bin"),
                "fine_label_names.txt",
                partial(_binary_batch, 2),
                _binary_classes,
            ),
        ),
    ),
}
