"""Training beside the tutorial's loop: an epoch of net1, a step of net4."""

import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch

from benchmarks import subjects, tutorial
from benchmarks.children import apart
from benchmarks.measuring import Row, Seconds, clocked, cores, faster, interleaved, threads
from convscope.base import names
from convscope.data import datasets as data_sets
from convscope.data.datasets import DataSet
from convscope.training.executor import Event, train_side_by_side
from convscope.training.run import Run

TITLE = "Training, beside the loop of the PyTorch tutorial"
EPOCH_GOAL = 4.5
STEP_GOAL = 2.7
CPU = torch.device("cpu")


def rows(quick: bool) -> Iterator[Row]:
    """Epochs of net1 and steps of net4, on the CPU and, where there is one, on a GPU."""
    everything = cores(quick)
    images = subjects.part(*((64, 32) if quick else (10_000, 2_000)))
    n = 1 if quick else 3
    net1 = f"epoch of net1 (18, 2, 3, 1), {len(images.train_labels):,} images"
    # the tutorial's loop is in fp32 beside either; the goals are for the precision that suits
    for precision in dict.fromkeys(("fp32", subjects.fastest())):
        goals = precision == subjects.fastest()
        yield from _epochs(f"{net1}, {precision}", precision, images, n, everything, goals)
        for l1_oc, steps in ((4, 4),) if quick else ((64, 6), (12, 40)):
            yield from _steps(l1_oc, precision, steps, n, everything, goals)
        yield _machine_net4(*((4, 1) if quick else (12, 30)), precision, n, everything, goals)
    yield from _on_gpu(images, n, net1, everything)


def _epochs(
    what: str, precision: str, images: DataSet, n: int, everything: int, goals: bool
) -> Iterator[Row]:
    """Epochs of net1, by one process and by all that the machine has processors for."""
    ways: tuple[_Way, ...] = (
        _Way("a run: all threads each, 2 loader workers", everything, everything, 2, goals),
        _Way("a run: one thread; the tutorial as it stands", 1, everything, 2),
        _Way("a run: one thread each, no loader workers", 1, 1, 0),
    )
    for way in ways if goals else ways[:1]:
        run = subjects.run("net1", 1, threads=way.ours, precision=precision)
        its = subjects.run("net1", 1, threads=way.its)
        with apart(_epoch, run, images, CPU) as ours:
            times = interleaved(n, ours, _tutorial_epoch(its, images, CPU, way.workers))
        yield faster(f"{what}, {way.how}", times, EPOCH_GOAL if way.goal else None)
    times = interleaved(
        n,
        _machine_epoch(images, everything, precision),
        _tutorial_epoch(subjects.run("net1", 1, threads=everything), images, CPU, 2),
        warm_up=False,
    )
    how = f"a grid: {everything} runs side by side"
    yield faster(f"{what}, {how}", times, EPOCH_GOAL if goals else None)


@dataclass(frozen=True)
class _Way:
    """How both loops run: their threads, the tutorial's loader workers, whether a goal applies."""

    how: str
    ours: int
    its: int
    workers: int
    goal: bool = False


def _steps(
    l1_oc: int, precision: str, steps: int, n: int, everything: int, goals: bool
) -> Iterator[Row]:
    """Training steps of net4, as both stand and with as little as possible."""
    few = subjects.part(64 * steps, 10)
    ways = (
        _Way("all threads each, 2 loader workers", everything, everything, 2, goals),
        _Way("one thread each, no loader workers", 1, 1, 0),
    )
    for way in ways if goals else ways[:1]:
        point = {"l1_oc": l1_oc, "batch_size": 64}
        run = subjects.run("net4", 1, point, threads=way.ours, precision=precision)
        with apart(_step, run, few, CPU) as ours:
            times = interleaved(n, ours, _tutorial_step(run, few, CPU, way.workers))
        what = f"step of net4, l1_oc {l1_oc}, 64 images, {precision}, {way.how}"
        yield faster(what, times, STEP_GOAL if way.goal else None)


def _machine_net4(
    l1_oc: int, steps: int, precision: str, n: int, everything: int, goals: bool
) -> Row:
    """What the machine gets done of a narrow net4 when it trains a run on each processor."""
    point = {"l1_oc": l1_oc, "batch_size": 64}
    images = subjects.part(64 * steps, 64)
    run = subjects.run("net4", 1, point, threads=everything)
    times = interleaved(
        n,
        _machine_epoch(images, everything, precision, "net4", point),
        _tutorial_epoch(run, images, CPU, 2),
        warm_up=False,
    )
    size = f"{len(images.train_labels):,} images"
    how = f"a grid: {everything} runs side by side"
    what = f"epoch of net4, l1_oc {l1_oc}, {size}, {precision}, {how}"
    return faster(what, times, STEP_GOAL if goals else None)


def _on_gpu(images: DataSet, n: int, net1: str, everything: int) -> Iterator[Row]:
    """The same on a GPU, or a row that says that it was not measured."""
    if not torch.cuda.is_available():
        yield Row("the same on a GPU", result="not measured: no CUDA device here")
        return
    device = torch.device("cuda")
    there = images.to(device)
    times = interleaved(
        n,
        _epoch(subjects.run("net1", 1), there, device),
        _tutorial_epoch(subjects.run("net1", 1, threads=everything), images, device, 2),
    )
    yield faster(f"{net1}, GPU", times, EPOCH_GOAL)
    few = subjects.part(64 * 40, 10)
    run = subjects.run("net4", 1, {"l1_oc": 64, "batch_size": 64}, threads=everything)
    times = interleaved(n, _step(run, few.to(device), device), _tutorial_step(run, few, device, 2))
    yield faster("step of net4, l1_oc 64, 64 images, GPU", times, STEP_GOAL)


def _epoch(run: Run, data: DataSet, device: torch.device) -> Seconds:
    """A whole run of convscope: build, train, test, write its files."""
    return clocked(lambda: subjects.train(run, data, device))


def _step(run: Run, data: DataSet, device: torch.device) -> Seconds:
    """The mean step of such a run, with all that surrounds the steps."""
    steps = math.ceil(len(data.train_labels) / int(run.point["batch_size"]))
    return lambda: _epoch(run, data, device)() / steps


def _tutorial_epoch(run: Run, data: DataSet, device: torch.device, workers: int) -> Seconds:
    """The tutorial's epoch: train and test."""

    def epoch() -> None:
        with threads(run.settings.threads):
            tutorial.Loop(run, data, device, workers).epoch()

    return clocked(epoch)


def _tutorial_step(run: Run, data: DataSet, device: torch.device, workers: int) -> Seconds:
    """The mean step of the tutorial's loop, without the start of its loader."""

    def step() -> float:
        with threads(run.settings.threads):
            return tutorial.Loop(run, data, device, workers).step_seconds()

    return step


def _machine_epoch(
    data: DataSet,
    runs: int,
    precision: str,
    net: str = "net1",
    point: Mapping[str, float] | None = None,
) -> Seconds:
    """Seconds an epoch of the machine, with a run of one thread on each processor.

    Counted from each run's first epoch on: processes that start are another benchmark's.
    """

    def measure() -> float:
        ends: dict[str, list[float]] = {}

        def tell(event: Event) -> None:
            if event.row is not None:
                ends.setdefault(event.run_id, []).append(time.perf_counter())

        with tempfile.TemporaryDirectory() as folder:
            dataset = Path(folder) / "dataset.safetensors"
            data_sets.save(data, dataset)
            some = [
                subjects.run(
                    net,
                    3,
                    {**(point or {}), "seed": seed},
                    precision=precision,
                    data=data.fingerprint,
                )
                for seed in range(runs)
            ]
            at_once = {names.WORKERS: str(runs), names.DEVICE: "cpu"}
            with mock.patch.dict(os.environ, at_once):
                train_side_by_side([(run, Path(folder) / run.id) for run in some], dataset, tell)
        return 1 / sum((len(times) - 1) / (times[-1] - times[0]) for times in ends.values())

    return measure
