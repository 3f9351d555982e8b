"""CIFAR-10, with the study's class names and groups."""

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
    sources: Sequence[archives.Archive], folder: Path, progress: archives.Progress | None = None
) -> DataSet:
    """CIFAR-10, in the order of its archive; the arguments are those of ``archives.fetch``."""
    path, archive = archives.fetch(sources, folder, progress)
    return _named(cifar_archive.read(path), archive.origin, archive.md5)


def read_unpacked(folder: Path) -> DataSet:
    """The same from the files that ``cifar_folder.read`` finds; the archive is the official one."""
    return _named(*cifar_folder.read(folder, "cifar10"))


def _named(arrays: Arrays, url: str, md5: str) -> DataSet:
    tensors = {
        name: torch.from_numpy(part) for name, part in arrays._asdict().items() if name != "classes"
    }
    return DataSet(**tensors, classes=CLASSES, groups=GROUPS, url=url, md5=md5)
