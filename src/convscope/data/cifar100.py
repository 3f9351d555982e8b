"""CIFAR-100, with the names of its 100 classes as its archive has them."""

from collections.abc import Sequence
from pathlib import Path

import torch

from convscope.data import archives, cifar_archive, cifar_folder
from convscope.data.cifar_archive import Arrays
from convscope.data.datasets import DataSet


def read(
    sources: Sequence[archives.Archive], folder: Path, progress: archives.Progress | None = None
) -> DataSet:
    """CIFAR-100, in the order of its archive; the arguments are those of ``archives.fetch``."""
    path, archive = archives.fetch(sources, folder, progress)
    return _named(cifar_archive.read(path, "cifar100"), archive.origin, archive.md5)


def read_unpacked(folder: Path) -> DataSet:
    """The same from the files that ``cifar_folder.read`` finds; the archive is the official one."""
    return _named(*cifar_folder.read(folder, "cifar100"))


def _named(arrays: Arrays, url: str, md5: str) -> DataSet:
    tensors = {
        name: torch.from_numpy(part) for name, part in arrays._asdict().items() if name != "classes"
    }
    return DataSet(**tensors, classes=arrays.classes, groups={}, url=url, md5=md5)
