"""Data sets: kept as one safetensors file, checked when read, and divided into parts."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from convscope.base import files
from convscope.base.errors import UserError
from convscope.base.tensors import read_tensors, write_tensors

IMAGE_SHAPE = (3, 32, 32)
MADE_BY = "download"


@dataclass(frozen=True, eq=False)
class DataSet:
    """Images and labels in two parts, in the order of their source.

    Attributes:
        train_images: (N, 3, 32, 32) uint8, RGB, 0..255.
        train_labels: (N,) int64, indices into ``classes``.
        groups: Class names by the name of their group; empty where there are no groups.
        url: Where the data came from; of a file on this machine, only its name.
        md5: The archive's md5; empty where there is no archive.
    """

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    classes: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    url: str
    md5: str

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 of the images, labels and class names, whatever archive they came from."""
        state = hashlib.sha256(json.dumps(self.classes).encode())
        for name, tensor in self.tensors().items():
            array = tensor.cpu().contiguous().numpy()
            little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
            state.update(f"{name} {tuple(array.shape)}".encode())
            state.update(little_endian.data)
        return state.hexdigest()

    def tensors(self) -> dict[str, torch.Tensor]:
        """The four tensors by name."""
        names = ("train_images", "train_labels", "test_images", "test_labels")
        return {name: getattr(self, name) for name in names}

    def to(self, device: torch.device) -> "DataSet":
        """The same data set with its tensors on ``device``."""
        moved: dict[str, Any] = {name: each.to(device) for name, each in self.tensors().items()}
        return replace(self, **moved)

    def head(self, train: int | None, test: int | None) -> "DataSet":
        """The first ``data.train_images`` and ``data.test_images`` images, in the same memory."""
        parts: dict[str, Any] = {}
        for name, tensor in self.tensors().items():
            key, held = f"data.{name.split('_')[0]}_images", len(tensor)
            wanted = train if name.startswith("train") else test
            if wanted is not None and not 1 <= wanted <= held:
                raise UserError(
                    f"params.yaml: {key} is {wanted}: take 1 to {held} images, "
                    f"or null for all {held}"
                )
            parts[name] = tensor[:wanted]
        return replace(self, **parts)


def save(dataset: DataSet, path: Path) -> None:
    """Write a data set as one safetensors file; the same data give the same bytes."""
    metadata = {
        "classes": json.dumps(dataset.classes),
        "groups": json.dumps(dataset.groups),
        "url": dataset.url,
        "md5": dataset.md5,
    }
    write_tensors(path, dataset.tensors(), metadata)


def load(path: Path) -> DataSet:
    """Read a data set that ``save`` wrote, onto the CPU; a missing or damaged one is a UserError.

    The tensors may be views of the file: leave them unchanged.
    """
    try:
        tensors, metadata = read_tensors(path, made_by=MADE_BY)
        dataset = DataSet(
            **tensors,
            classes=_names(json.loads(metadata["classes"])),
            groups={name: _names(of) for name, of in json.loads(metadata["groups"]).items()},
            url=metadata["url"],
            md5=metadata["md5"],
        )
        _check(dataset)
    except KeyError as error:
        raise files.damaged(path, MADE_BY, f"its header lacks {error}") from None
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise files.damaged(path, MADE_BY, str(error)) from None
    return dataset


def _names(names: Any) -> tuple[str, ...]:
    """A JSON list of texts as a tuple."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"its header has {names!r} for a list of names")
    return tuple(names)


def _check(dataset: DataSet) -> None:
    names = dataset.classes
    if not names:
        raise ValueError("it has no classes")
    if not all(isinstance(text, str) for text in (dataset.url, dataset.md5)):
        raise ValueError("its url or md5 is not a text")
    if unknown := {name for of in dataset.groups.values() for name in of} - set(names):
        raise ValueError(f"its groups name unknown classes: {sorted(unknown)}")
    for part in ("train", "test"):
        images, labels = (dataset.tensors()[f"{part}_{kind}"] for kind in ("images", "labels"))
        if images.dtype != torch.uint8 or images.shape[1:] != IMAGE_SHAPE:
            raise ValueError(f"{part}_images is {images.dtype} {tuple(images.shape)}")
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1] or not len(labels):
            raise ValueError(f"{part}_labels is {labels.dtype} {tuple(labels.shape)}")
        if labels.min() < 0 or labels.max() >= len(names):
            raise ValueError(f"{part}_labels has labels outside 0..{len(names) - 1}")


def stratified_part(
    labels: torch.Tensor, fraction: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hold out the same fraction of every class, drawn at random.

    Args:
        labels: (N,) int64.
        fraction: In 0..1. The count is rounded, class by class, to the nearest integer (a half to
            the even one).
        seed: Decides the draw; the global random state is neither read nor changed.

    Returns:
        Ascending indices into ``labels``, on the CPU: (K,) int64 kept, (N - K,) int64 held out.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is {fraction}, outside 0..1")
    labels = labels.cpu()
    generator = torch.Generator().manual_seed(seed)
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    for label in sorted(set(labels.tolist())):
        members = (labels == label).nonzero().squeeze(1)
        order = torch.randperm(len(members), generator=generator)
        held_out[members[order[: round(fraction * len(members))]]] = True
    return (~held_out).nonzero().squeeze(1), held_out.nonzero().squeeze(1)


def drawn_by_class(labels: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Draw images so that all classes occur about equally often.

    The (min(count, N),) int64 indices into the (N,) int64 labels are by class, then ascending.
    """
    labels = labels.cpu()
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    turns = torch.cat([torch.arange(members) for members in labels.bincount().tolist()])
    drawn = by_class[turns.argsort(stable=True)[:count]].sort().values
    return drawn[labels[drawn].argsort(stable=True)]


def to_unit(images: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) uint8 images as float32 in 0..1, in the same memory format, for a network."""
    return images.to(torch.float32, copy=True).div_(255)
