"""What the published study would take on many nodes, from steps that are measured here."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import gpu_checks, subjects
from benchmarks.measuring import Row, duration
from convscope.config import params_file
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training import plan
from convscope.training.run import Run

TITLE = "The published study on many nodes like this one, a run a node, calculated"
NODES = (1, 10, 50)
STEPS = 2
TRAIN, TEST = 50_000, 10_000  # images of CIFAR-10
OVERHEAD = 0.05  # seconds of the cluster for each run; benchmark "cluster" measures them


def rows(quick: bool) -> Iterator[Row]:
    """Each grid's seconds of one node after another, and of many, as the stages run in turn."""
    images = subjects.part(512, 32)
    params = params_file.load(gpu_checks.STUDY)
    nets = ["net1"] if quick else list(params.nets)
    walls = dict.fromkeys(NODES, 0.0)
    for net in nets:
        grid = plan.runs(params, net, images)
        widest = max(grid, key=gpu_checks.size)
        speed = _flops(widest, 128) * STEPS / _seconds(widest, images, quick)
        taken = [_run_seconds(run, speed) for run in grid]
        for nodes in NODES:
            walls[nodes] += _wall(taken, nodes)
        listed = ", ".join(f"{duration(_wall(taken, nodes))} on {nodes}" for nodes in NODES)
        what = f"{net}: {len(grid)} runs at {speed / 1e9:,.0f} GFLOP/s, as its widest has"
        yield Row(what, duration(max(taken)), result=listed, n=1 if quick else 3)
    listed = ", ".join(f"{duration(wall)} on {nodes}" for nodes, wall in walls.items())
    yield Row("all stages in turn", result=listed)


def _seconds(run: Run, images: DataSet, quick: bool) -> float:
    """Of some steps of a run, on this machine, in the precision that it is fastest in."""
    settings = replace(run.settings, precision=subjects.fastest())
    steps = gpu_checks.steps(replace(run, settings=settings), images, torch.channels_last, STEPS)
    steps()
    return float(median(steps() for _ in range(1 if quick else 3)))


def _flops(run: Run, size: int) -> float:
    """Of a training step on a batch; of one image without gradients, three times less."""
    module = zoo.build(run.net, **run.point)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.zeros(1, 3, 32, 32))
    return 3.0 * float(counter.get_total_flops()) * size


def _run_seconds(run: Run, speed: float) -> float:
    """Of all epochs, with their tests, at so many FLOP/s."""
    epoch = _flops(run, TRAIN) + _flops(run, TEST) / 3
    return run.settings.epochs * epoch / speed + OVERHEAD


def _wall(seconds: Sequence[float], nodes: int) -> float:
    """Until the last of some runs ends, if each node that is free takes the next."""
    ends = [0.0] * nodes
    for each in seconds:
        heapq.heappush(ends, heapq.heappop(ends) + each)
    return max(ends)
