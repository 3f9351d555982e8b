"""Runs of toy networks, trained, cut off after some epochs, and moved to DVC's cache."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from convscope.training import dvc_cache, grid, trainer
from tests import toys
from tests.projects import contents

CPU = torch.device("cpu")
MODELS = Path("models/net1")


def train(run, folder, data=None, **options):
    """Train a run; what its folder holds then."""
    trainer.train(run, data or toys.red_or_blue(), folder, CPU, **options)
    return contents(folder)


def cut(run, epochs, folder, data=None):
    """Train a run and kill it after some epochs; its checkpoint."""

    class KilledError(Exception):
        pass

    def kill(row):
        if row["epoch"] == epochs:
            raise KilledError

    with pytest.raises(KilledError):
        train(run, folder, data, on_epoch=kill)
    return folder / trainer.CHECKPOINT


def damage(path, content):
    """Leave these bytes in a file, or no file where they are None."""
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def in_the_store(run):
    """Train a run where a grid looks for it; its folder."""
    train(run, grid.store_folder(run))
    return grid.store_folder(run)


def in_dvcs_cache(run, output=MODELS):
    """Train a run in the store, and copy it to DVC's cache as part of an output; its folder."""
    folder, inside = in_the_store(run), MODELS.relative_to(output)
    listed = [
        {"md5": cached(content), "relpath": f"{inside / 'runs' / run.id / name}"}
        for name, content in contents(folder).items()
    ]
    digest = cached(json.dumps(listed).encode(), ".dir")
    dvc_cache.LOCK.write_text(
        f"stages: {{train@net1: {{outs: [{{path: {output}, md5: {digest}}}]}}}}"
    )
    return folder


def cached(content, suffix=""):
    """Put a file into DVC's cache; its digest."""
    digest = hashlib.md5(content).hexdigest() + suffix
    path = dvc_cache.copy_of(digest, dvc_cache.folder_of_cache())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest
