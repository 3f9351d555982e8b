"""A grid's runs side by side beside the same runs one after another."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from benchmarks import subjects
from benchmarks.measuring import Row, clocked, faster, interleaved
from convscope.base import names
from convscope.data import datasets
from convscope.training.executor import Event, train_side_by_side

TITLE = "A grid: side by side, beside one after another"
GOAL = 1.25
AXES = {
    "l1_oc": (6, 12, 18),
    "filter_multiplier": (1.5, 2.0),
    "kernel_size": (3, 5),
    "stride": (1, 2),
}


def rows(quick: bool) -> Iterator[Row]:
    """Net1's 24 points; two of them when it must be quick."""
    points = [dict(zip(AXES, values, strict=True)) for values in itertools.product(*AXES.values())]
    points, epochs = (points[:2], 1) if quick else (points, 2)
    images = subjects.part(*((128, 32) if quick else (5_000, 1_000)))
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets.save(images, folder / "dataset.safetensors")
        times = interleaved(
            1 if quick else 3,
            clocked(lambda: _train(points, epochs, folder, workers)),
            clocked(lambda: _train(points, epochs, folder, 1)),
            warm_up=False,
        )
        same = _files(folder / str(workers)) == _files(folder / "1")
    size = f"{epochs} epochs of {len(images.train_labels):,} images"
    what = f"net1's grid, {len(points)} points, {size}, {workers} processes"
    yield faster(what, times, GOAL)
    yield Row("the same bits", result="yes" if same else "no", goal="yes", met=same)


def _train(points: list[dict[str, float]], epochs: int, folder: Path, workers: int) -> None:
    """Train all points into a folder of their own."""
    data = datasets.load(folder / "dataset.safetensors").fingerprint
    runs = [subjects.run("net1", epochs, point, data=data) for point in points]
    jobs = [(run, folder / str(workers) / run.id) for run in runs]
    with mock.patch.dict(os.environ, {names.WORKERS: str(workers), names.DEVICE: "cpu"}):
        train_side_by_side(jobs, folder / "dataset.safetensors", _nobody)


def _nobody(event: Event) -> None:
    """Listens to nothing."""


def _files(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by its place in the folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
