"""What is measured: images, points of the study's grids, and networks trained a little."""

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from convscope.base import files, kernels, machine
from convscope.base.paths import WEIGHTS
from convscope.base.tensors import read_tensors
from convscope.data import cifar, digits
from convscope.data.archives import Archive
from convscope.data.augment import Augmentation
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training import trainer
from convscope.training.run import Run, Settings

ARCHIVE = "CONVSCOPE_CIFAR10_ARCHIVE"
AUGMENTED = ("net3", "net4")
# the study's
AUGMENTATION = Augmentation(padding=4, flip=0.5, brightness=0.5, contrast=0.5, saturation=0.5)
POINT: dict[str, Any] = {
    "lr": 0.01,
    "batch_size": 128,
    "momentum": 0.9,
    "l1_oc": 18,
    "filter_multiplier": 2.0,
    "kernel_size": 3,
    "stride": 1,
    "dropout_rate": 0.0,
    "seed": 0,
}


def archive() -> Archive | None:
    """The CIFAR-10 archive that the environment names, if it names one."""
    path = os.environ.get(ARCHIVE)
    if not path:
        return None
    return Archive(url=Path(path).resolve().as_uri(), md5=files.digest(Path(path)))


@cache
def images() -> DataSet:
    """CIFAR-10 from that archive; without one, scikit-learn's digits."""
    source = archive()
    if source is None:
        return digits.read()
    return cifar.read("cifar10", [source], Path())  # a file is read where it is


def images_used() -> str:
    """Which images those are, in words."""
    source = archive()
    return "scikit-learn's digits" if source is None else f"CIFAR-10 ({source.origin})"


def part(train: int, test: int) -> DataSet:
    """The first images, or all of them where there are not so many."""
    whole = images()
    return whole.head(min(train, len(whole.train_labels)), min(test, len(whole.test_labels)))


def fastest() -> str:
    """The precision that this processor trains fastest in: bf16 where it computes in it."""
    return "bf16" if machine.computes_in_bf16() else "fp32"


def run(
    net: str,
    epochs: int,
    point: Mapping[str, float] | None = None,
    threads: int = 1,
    precision: str = "fp32",
    data: str = "benchmark",
) -> Run:
    """A point of the study's grid of a network; ``point`` says where it differs.

    ``data`` is the fingerprint of its data set, which matters where that is read from a file.
    """
    augment = AUGMENTATION if net in AUGMENTED else Augmentation()
    held = kernels.held() or kernels.NATIVE
    settings = Settings(epochs, augment, precision=precision, threads=threads, kernels=held)
    usual = {"dropout_rate": 0.3} if net in AUGMENTED else {}
    return Run(net, {**POINT, **usual, **(point or {})}, settings, data)


def train(what: Run, data: DataSet, device: torch.device) -> list[trainer.Row]:
    """Train a run in a folder that vanishes; its epochs' rows."""
    rows: list[trainer.Row] = []
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(what, data, Path(folder), device, rows.append)
    return rows


@cache
def trained(net: str, l1_oc: int, images: int, threads: int) -> nn.Sequential:
    """A network after one epoch on the first images, in evaluation mode, on the CPU.

    How much an analysis computes depends on the network's maps: freshly drawn ones would not do.
    """
    what = run(net, 1, {"l1_oc": l1_oc, "batch_size": 32}, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(what, part(images, 100), Path(folder), torch.device("cpu"))
        weights, _ = read_tensors(Path(folder) / WEIGHTS, "the benchmark")
    module = zoo.build(net, **what.point)
    module.load_state_dict(weights)
    return module.eval()
