"""Tensors in safetensors files, which can be read without running any code."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from convscope.base import files

# what torch.save has written begins as a zip file, or as a pickle
_PICKLED = (b"PK\x03\x04", b"\x80")


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors, on any device, and string metadata as a safetensors file."""
    ready = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    # as one string: the format's own map has no order, so the same metadata could differ in bytes
    header = {"convscope": json.dumps(dict(metadata or {}), sort_keys=True)}
    # save_file takes less memory, but who is killed in it leaves a file of a random name
    files.write_bytes(path, save(ready, metadata=header))


def read_tensors(path: Path, made_by: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """A file's tensors, on the CPU, and metadata; a missing or damaged file is a UserError."""
    with files.reading(path, made_by):
        try:
            with safe_open(path, framework="pt") as stored:
                tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
                header = stored.metadata() or {}
        except (OSError, SafetensorError) as error:
            # a file system that maps no files refuses good ones, which the message only says
            number = re.search(r"\(os error (\d+)\)", str(error))
            if number and path.is_file():
                raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None
            if isinstance(error, OSError):
                raise
            with path.open("rb") as stream:
                pickled = stream.read(4).startswith(_PICKLED)
            why = "it is a file of torch.save, not of safetensors" if pickled else str(error)
            raise ValueError(why) from None
        metadata = json.loads(header.get("convscope", "{}"))
        if not isinstance(metadata, dict):
            raise ValueError("its metadata is not a mapping")
    return tensors, metadata
