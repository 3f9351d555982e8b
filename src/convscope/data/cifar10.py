"""CIFAR-10 from an archive, with the study's class names and groups."""

from collections.abc import Sequence
from pathlib import Path

import torch

from convscope.data import archives, layouts
from convscope.data.datasets import DataSet

CLASSES = (
    *("plane", "car", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


GROUPS = {
    "animals": ("bird", "cat", "deer", "dog", "frog", "horse"),
    "vehicles": ("plane", "car", "ship", "truck"),
}


def read(
    sources: Sequence[archives.Archive],
    folder: Path,
    progress: archives.Progress | None = None,
) -> DataSet:
    """CIFAR-10, in the order of its archive, with the study's class names and groups.

    Args:
        sources: Archives in the official python or binary layout, tried in order.
        folder: Where downloads are kept.
        progress: Called during a download (see ``archives.fetch``).

    Returns:
        50,000 training and 10,000 test images (as many as the archive holds, if it is a toy).

    Raises:
        UserError: No archive can be had, or the one found is not CIFAR-10.
    """
    path, archive = archives.fetch(sources, folder, progress)
    tensors = {
        name: torch.from_numpy(array) for name, array in layouts.read(path)._asdict().items()
    }
    return DataSet(
        **tensors,
        classes=CLASSES,
        groups=GROUPS,
        url=archive.origin,
        md5=archive.md5,
    )
