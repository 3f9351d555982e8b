"""A run between two epochs, on disk: all that the next epoch depends on, or nothing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from convscope.base.errors import UserError
from convscope.base.tensors import read_tensors, write_tensors

CHECKPOINT = "checkpoint.safetensors"
_PARTS = ("module", "momentum", "best")
_REST = ("history", "computed_on")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after an epoch.

    Attributes:
        module: The network's state dict.
        momentum: The optimizer's momentum buffers, by parameter; empty without momentum.
        best: The state dict of the best epoch so far.
        history: The rows of history.csv so far.
        computed_on: The kinds of processors that computed it, as run.json names them.
    """

    module: Mapping[str, Tensor]
    momentum: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    history: list[dict[str, float]]
    computed_on: list[str]


def write(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint, its tensors on any device, with a digest of all that is in it."""
    tensors = {
        f"{part}.{key}": tensor.detach().cpu().contiguous()
        for part in _PARTS
        for key, tensor in getattr(state, part).items()
    }
    rest = json.dumps({name: getattr(state, name) for name in _REST})
    write_tensors(path, tensors, {"rest": rest, "digest": _digest(tensors, rest)})


def read(path: Path) -> Checkpoint | None:
    """A checkpoint, its tensors on the CPU; None where there is none, or a damaged one.

    A damaged checkpoint costs its epochs and not the run.
    """
    try:
        tensors, metadata = read_tensors(path, "train")
        if metadata["digest"] != _digest(tensors, metadata["rest"]):
            return None
        rest = json.loads(metadata["rest"])
    except (UserError, KeyError, TypeError, ValueError, RecursionError):
        return None
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
    for name, tensor in tensors.items():
        part, key = name.split(".", 1)
        parts[part][key] = tensor
    return Checkpoint(**parts, history=rest["history"], computed_on=rest["computed_on"])


def _digest(tensors: Mapping[str, Tensor], rest: str) -> str:
    """A hash of names, shapes, types and bytes, and of the rest."""
    found = hashlib.sha256(rest.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        found.update(tensor.numpy().data)
    return found.hexdigest()
