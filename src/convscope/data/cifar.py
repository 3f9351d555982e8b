"""CIFAR-10, with the study's class names and groups, and CIFAR-100, with its archive's names."""

from collections.abc import Sequence
from pathlib import Path

import torch

from convscope.data import archives, cifar_archive, cifar_folder
from convscope.data.cifar_archive import Arrays
from convscope.data.datasets import DataSet

CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
GROUPS = {
    "animals": ("bird", "cat", "deer", "dog", "frog", "horse"),
    "vehicles": ("plane", "car", "ship", "truck"),
}


def read(
    source: str,
    listed: Sequence[archives.Archive],
    folder: Path,
    progress: archives.Progress | None = None,
) -> DataSet:
    """``"cifar10"`` or ``"cifar100"``, in the order of its archive.

    The other arguments are those of ``archives.fetch``.
    """
    path, archive = archives.fetch(listed, folder, progress)
    return _named(source, cifar_archive.read(path, source), archive.origin, archive.md5)


def read_unpacked(source: str, folder: Path) -> DataSet:
    """The same from the files that ``cifar_folder.read`` finds; the archive is the official one."""
    return _named(source, *cifar_folder.read(folder, source))


def _named(source: str, arrays: Arrays, url: str, md5: str) -> DataSet:
    parts = arrays._asdict()
    own = parts.pop("classes")
    classes, groups = (CLASSES, GROUPS) if source == "cifar10" else (own, {})
    tensors = {name: torch.from_numpy(part) for name, part in parts.items()}
    return DataSet(**tensors, classes=classes, groups=groups, url=url, md5=md5)
