"""Ten times the work takes no more than ten times the time, and memory grows no faster."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import torch

from benchmarks import subjects
from benchmarks.children import Usage, usage
from benchmarks.measuring import Row, duration, memory
from convscope.analysis.occlusion.sensitivity import confidence_maps
from convscope.base import names
from convscope.data import datasets
from convscope.nets import zoo
from convscope.training.executor import train_side_by_side

TITLE = "Growth: ten times the work"
CPU = torch.device("cpu")
FACTOR = 10
NOISE = 10_000_000  # bytes
BOUNDED = 1.5  # times the memory, where it should not depend on the number
SLACK = 1.1  # two measurements of the same work differ by so much, and the goal says so


def rows(quick: bool) -> Iterator[Row]:
    """Images, points of a grid, and images to occlude, each measured in new processes."""
    n = 1 if quick else 3
    few, points, window = (12, 1, 28) if quick else (5_000, 4, 9)
    few = min(few, len(subjects.images().train_labels) // FACTOR)
    yield _tenfold("images of an epoch of net1", n, FACTOR, _images, few)
    if not quick:
        yield _tenfold("points of net1's grid, one after another", n, BOUNDED, _points, points)
    # memory is bounded by the batches, which four images fill
    yield _tenfold(f"images to occlude, window {window}", n, BOUNDED, _maps, 4, window)


def _tenfold(
    what: str,
    n: int,
    limit: float,
    function: Callable[..., Callable[[], object]],
    few: int,
    *arguments: Any,
) -> Row:
    """The work on a few things beside that on ten times as many; memory may grow by the limit."""
    measured: list[list[Usage]] = [[], []]
    for _ in range(n):
        for found, count in zip(measured, (few, FACTOR * few), strict=True):
            found.append(usage(function, count, *arguments))
    small, large = (median(each.seconds for each in found) for found in measured)
    growths = [median(each.growth for each in found) for found in measured]
    return Row(
        f"{few:,} -> {FACTOR * few:,} {what}",
        f"{duration(small)} -> {duration(large)}",
        result=f"{large / small:.1f} times the time; memory grew by "
        f"{memory(growths[0])} -> {memory(growths[1])}",
        goal=f"{FACTOR} times the time, {limit:g} times the memory, and {SLACK - 1:.0%} for noise",
        met=large < SLACK * FACTOR * small and growths[1] < SLACK * limit * max(growths[0], NOISE),
        n=n,
    )


def _images(count: int) -> Callable[[], object]:
    """An epoch of net1 on so many images."""
    images, run = subjects.part(count, 10), subjects.run("net1", 1)
    subjects.train(run, subjects.part(16, 10), CPU)  # a first run finds nothing loaded
    return lambda: subjects.train(run, images, CPU)


def _points(count: int) -> Callable[[], object]:
    """A grid of so many points, trained in this process."""
    images = subjects.part(2_000, 500)
    data = images.fingerprint
    runs = [subjects.run("net1", 1, {"seed": seed}, data=data) for seed in range(count)]
    subjects.train(runs[0], subjects.part(16, 10), CPU)

    def train() -> None:
        one = mock.patch.dict(os.environ, {names.WORKERS: "1", names.DEVICE: "cpu"})
        with tempfile.TemporaryDirectory() as name, one:
            dataset = Path(name) / "dataset.safetensors"
            datasets.save(images, dataset)
            jobs = [(run, Path(name) / run.id) for run in runs]
            train_side_by_side(jobs, dataset, lambda _: None)

    return train


def _maps(count: int, window: int) -> Callable[[], object]:
    """The occlusion maps of so many images by a narrow net4."""
    images = subjects.part(1, count)
    module = zoo.build("net4", l1_oc=8).eval()
    return lambda: confidence_maps(module, images.test_images, images.test_labels, window)
