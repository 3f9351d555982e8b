"""What must hold on a GPU before a study is trained there, and what its training steps take."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import torch
from tests import golden, toys
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measuring import Row, clocked, duration, faster, interleaved
from convscope.base import files, names, runtime
from convscope.base.paths import HISTORY, RUN_FILES
from convscope.config import params_file
from convscope.data import augment
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training import plan, trainer
from convscope.training.run import Run
from convscope.training.sgd import Sgd
from convscope.training.step import Step

ROUNDING = 1e-5
STEPS = 10
STUDY = Path(__file__).parents[1] / "conf" / "study" / "published.yaml"


def checks(device: torch.device) -> Iterator[Row]:
    """Recorded steps equal launched ones, augmentation is the processor's, losses are golden."""
    ways = [_toy_files("net3", device, graphs) for graphs in ("on", "off")]
    recorded = runtime.cuda_graphs(device)
    same = "yes" if ways[0] == ways[1] else "no"
    yield Row(
        "recorded steps give the bytes of launched ones",
        result=same if recorded else "not measured: no CUDA device here",
        goal="yes",
        met=ways[0] == ways[1] if recorded else None,
        n=2 * recorded,
    )
    images = toys.noise(64)
    draws = augment.draw(64, toys.AUGMENTED, torch.Generator().manual_seed(0))
    there = augment.Draws(*(drawn.to(device) for drawn in draws))
    moved = augment.apply(images.to(device), there).cpu() - augment.apply(images, draws)
    largest = moved.abs().max().item()
    what = f"augmentation on {device}: the largest difference from the processor's"
    yield Row(
        what, result=f"{largest:.1e}", goal=f"below {ROUNDING:g}", met=largest < ROUNDING, n=1
    )
    known = golden.nearest(golden.entries(), golden.environment())["measured"]["training net1"]
    losses = _toy_losses("net1", device)
    close = all(map(golden.CLOSE, losses, known["numbers"]))
    measured = " ".join(f"{loss:.4f}" for loss in losses)
    yield Row(
        "a toy run's losses beside the golden ones", result=measured, goal="5 %", met=close, n=1
    )


def _toy_files(net: str, device: torch.device, graphs: str) -> list[bytes]:
    """The files of a toy run whose steps are recorded, or launched one by one."""
    data = toys.red_or_blue().to(device)
    graphed = mock.patch.dict("os.environ", {names.CUDA_GRAPHS: graphs})
    with tempfile.TemporaryDirectory() as name, graphed:
        trainer.train(toys.run(net, epochs=3, batch_size=4), data, Path(name), device)
        return [Path(name, each).read_bytes() for each in RUN_FILES]


def _toy_losses(net: str, device: torch.device) -> list[float]:
    data = toys.red_or_blue().to(device)
    with tempfile.TemporaryDirectory() as name:
        trainer.train(toys.run(net, epochs=4), data, Path(name), device)
        return list(files.read_csv(Path(name, HISTORY), "")["loss"])


def widest(study: Path, data: DataSet, nets: Sequence[str]) -> list[Run]:
    """Of each network the published run that computes most."""
    params = params_file.load(study)
    grids = [plan.runs(params, net, data) for net in nets]
    return [max(grid, key=size) for grid in grids]


def size(run: Run) -> tuple[float, ...]:
    """What makes a run of a grid compute more than others."""
    return run.point["l1_oc"], run.point["kernel_size"], -run.point["stride"]


def profile(runs: Sequence[Run], data: DataSet, listing: Path, count: int = STEPS) -> Iterator[Row]:
    """A step of each run, as it is trained and otherwise; what its kernels take goes to a file."""
    device = data.train_images.device
    with runtime.deterministic(1, runs[0].settings.kernels), listing.open("w") as stream:
        for run in runs:
            as_trained = steps(run, data, torch.channels_last, count)
            ways = {"images' channels first": steps(run, data, torch.contiguous_format, count)}
            if device.type == "cuda":  # elsewhere it needs a compiler
                ways["torch.compile"] = steps(run, data, torch.channels_last, count, compiled=True)
            times = interleaved(3, as_trained, *ways.values())
            with FlopCounterMode(display=False) as counter:
                as_trained()
            speed = counter.get_total_flops() / median(times[0])
            what = f"{run.net}, {run.id}: {count} steps"
            yield Row(what, duration(median(times[0])), result=f"{speed / 1e9:,.0f} GFLOP/s", n=3)
            for way, taken in zip(ways, times[1:], strict=True):
                yield faster(f"{what}, beside {way}", [times[0], taken])
            stream.write(f"{run.net}, {run.id}\n{_kernels(as_trained, device)}\n")


def steps(
    run: Run,
    data: DataSet,
    form: torch.memory_format,
    count: int = STEPS,
    *,
    compiled: bool = False,
) -> Any:
    """Some training steps of a run, launched kernel by kernel, as a function of their seconds."""
    device = data.train_images.device
    torch.manual_seed(run.seed)
    module: nn.Module = zoo.build(run.net, **run.point)
    module = module.to(device=device, memory_format=form)  # type: ignore[call-overload]
    optimizer = Sgd(module, run.point["lr"], momentum=0.9)
    called: Any = torch.compile(module) if compiled else module
    bf16 = run.settings.precision == "bf16"
    step = Step(called, optimizer, data.train_images, data.train_labels, bf16)
    size = min(int(run.point["batch_size"]), len(data.train_labels))
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.arange(size)]
    if run.settings.augment.changes:
        drawn += augment.draw(size, run.settings.augment, generator)
    inputs = [values.to(device) for values in drawn]

    def work() -> None:
        for _ in range(count):
            step(*inputs)
        step.loss.item()  # a GPU has been given work, and not done it yet

    return clocked(work)


def _kernels(work: Any, device: torch.device) -> str:
    """The operations that take longest, as torch's profiler lists them."""
    kinds = [torch.profiler.ProfilerActivity.CPU]
    by = "self_cpu_time_total"
    if device.type == "cuda":
        kinds, by = [*kinds, torch.profiler.ProfilerActivity.CUDA], "self_device_time_total"
    with torch.profiler.profile(activities=kinds) as profiled:
        work()
    return str(profiled.key_averages().table(sort_by=by, row_limit=15))
