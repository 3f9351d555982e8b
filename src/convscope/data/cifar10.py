"""CIFAR-10 from an archive, with the study's class names and groups."""

from collections.abc import Sequence
from pathlib import Path

import torch

from convscope.data import archives, cifar10_archive
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
    arrays = cifar10_archive.read(path)._asdict()
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return DataSet(**tensors, classes=CLASSES, groups=GROUPS, url=archive.origin, md5=archive.md5)
