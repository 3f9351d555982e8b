"""The whole study at its published size: what it would take on the GPU that is here."""

import math
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

import torch

from benchmarks import gpu_checks, subjects
from benchmarks.measuring import Row, Seconds, below, clocked, faster, interleaved
from convscope.analysis.ablation import atlas
from convscope.analysis.occlusion import sensitivity
from convscope.base import kernels, names, runtime
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training import plan, trainer
from convscope.training.run import Run

TITLE = "The study at its published size, on a GPU"
GOAL_SECONDS = 600.0


def rows(quick: bool) -> Iterator[Row]:
    """Every run for two epochs and the long analyses; nothing without a GPU, but for a try."""
    device = runtime.device()
    if device.type == "cpu" and not quick:
        yield Row("every run of the study", result="not measured: no CUDA device here")
        return
    # the largest batch of the study is 512
    images = subjects.part(*((512, 32) if quick else (50_000, 10_000)))
    held = kernels.held() or kernels.NATIVE
    there = images.to(device)
    params = params_file.load(gpu_checks.STUDY).model_copy(update={"kernels": held})
    grids = [plan.runs(params, net, images) for net in params.nets]
    if quick:
        grids = [runs[:1] for runs in grids[:2]]
        there = there.head(int(grids[0][0].point["batch_size"]), 32)
    spent = []
    for runs in grids:
        spent.append(_training_seconds(runs, there, device))
        yield below(_in_words(runs), [spent[-1]])
    threads = params_file.need(params.analysis, "analysis").threads
    with runtime.deterministic(threads, held):
        for what, seconds in _analyses(params, there, device, quick):
            spent.append(seconds())
            yield below(what, [spent[-1]])
    yield below("all of these, one run after another", [sum(spent)], GOAL_SECONDS)
    for runs in grids:
        yield _replayed(runs[-1], there, device, 1 if quick else 3)


def _in_words(runs: Sequence[Run]) -> str:
    """A grid, and how its seconds were found."""
    net, epochs = runs[0].net, runs[0].settings.epochs
    return f"{net}: {len(runs)} runs, the second epoch of each times {epochs}"


def _training_seconds(runs: Sequence[Run], data: DataSet, device: torch.device) -> float:
    """What a grid takes; a run's first epoch holds what is done once, so the second counts."""
    return sum(_second_epoch(run, data, device)() * run.settings.epochs for run in runs)


def _second_epoch(run: Run, data: DataSet, device: torch.device) -> Seconds:
    """An epoch with its tests and its checkpoint."""
    short = replace(run, settings=replace(run.settings, epochs=2))

    def measure() -> float:
        ends: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            trainer.train(
                short, data, Path(folder), device, lambda _: ends.append(time.perf_counter())
            )
        return ends[1] - ends[0]

    return measure


def _replayed(run: Run, data: DataSet, device: torch.device, n: int) -> Row:
    """Epochs whose steps are replayed, beside epochs whose steps are launched kernel by kernel."""

    def epoch(graphs: str) -> Seconds:
        def measure() -> float:
            with mock.patch.dict(os.environ, {names.CUDA_GRAPHS: graphs}):
                return _second_epoch(run, data, device)()

        return measure

    times = interleaved(n, epoch("on"), epoch("off"), warm_up=False)
    steps = math.ceil(len(data.train_labels) / int(run.point["batch_size"]))
    what = f"{run.net}, {run.id}: an epoch of {steps} steps, replayed beside launched"
    return faster(what, times)


def _analyses(
    params: Params, data: DataSet, device: torch.device, quick: bool
) -> Iterator[tuple[str, Seconds]]:
    """The atlas and occlusion of net4, whose seconds do not depend on what it has learned."""
    ablation = params_file.need(params.filter_ablation, "filter_ablation")
    settings = params_file.need(params.occlusion, "occlusion")
    point = {"l1_oc": 2 if quick else 64, "dropout_rate": 0.3}
    module = zoo.build("net4", **point).to(device)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = data.test_images, data.test_labels

    def maps() -> None:
        some = slice(settings.images)
        for window in settings.window_sizes:
            sensitivity.confidence_maps(module, images[some], labels[some], window)

    def survey() -> None:
        many = slice(settings.survey_images)
        sensitivity.survey(
            module, images[many], labels[many], settings.window_sizes, settings.survey_stride
        )

    part = slice(ablation.atlas_images)
    yield "the atlas", clocked(lambda: atlas.atlas(module, images[part], labels[part]))
    if not quick:
        yield "occlusion maps", clocked(maps)
        yield "the occlusion survey", clocked(survey)
