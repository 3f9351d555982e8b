"""What the published study would take on many nodes, from steps that are measured here."""

import heapq
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import gpu_checks, subjects
from benchmarks.measuring import Row
from convscope.base import kernels, runtime
from convscope.config import params_file
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training import plan
from convscope.training.run import Run

TITLE = "The published study on many nodes like this one, a run a processor, calculated"
NODES = (1, 10, 50)
BATCH = 128  # images, as in the study's grids of networks
PART = 32  # of them suffice for a network that computes as fast on few as on many
LONG = 1e10  # FLOP of a step from which on it does
TRAIN, TEST = 50_000, 10_000  # images of CIFAR-10
GAIN = 0.001
OVERHEAD = 0.05  # seconds of the cluster for each run; benchmark "cluster" measures them


def rows(quick: bool) -> Iterator[Row]:
    """Each grid on so many nodes, as stages run in turn; then all grids at once, as they may."""
    images = subjects.part(512, 32)
    params = params_file.load(gpu_checks.STUDY)
    grids = []
    for net in ["net1"] if quick else list(params.nets):
        grid = plan.runs(params, net, images)
        widest, n = max(grid, key=gpu_checks.size), 1 if quick else 3
        size = PART if _flops(widest, BATCH) > LONG else BATCH
        speed = _flops(widest, size) / _seconds(widest, size, images, n)
        grids.append([_run_seconds(run, speed) for run in grid])
        what = f"{net}: {len(grid)} runs at {speed / 1e9:,.0f} GFLOP/s, as its widest has"
        yield Row(
            what, f"its longest run {_hours(max(grids[-1]))}", result=_on_nodes(grids[-1:]), n=n
        )
    longest = [max(grid) for grid in grids]
    yield Row("all grids in turn", f"at least {_hours(sum(longest))}", result=_on_nodes(grids))
    together = [second for grid in grids for second in sorted(grid, reverse=True)]
    at_once = _on_nodes([together])
    yield Row("all grids at once", f"at least {_hours(max(longest))}", result=at_once)


def _on_nodes(grids: Sequence[Sequence[float]]) -> str:
    """What grids take in turn on each number of nodes, and how many nodes are enough."""
    taken = {nodes: _wall(grids, nodes) for nodes in NODES}
    least = sum(max(grid) for grid in grids)
    enough = next(nodes for nodes in range(1, 1000) if _wall(grids, nodes) <= least * (1 + GAIN))
    listed = ", ".join(f"{_hours(seconds)} on {nodes}" for nodes, seconds in taken.items())
    return f"{listed}; on more than {enough} at most {GAIN:.1%} faster"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.3g} h"


def _seconds(run: Run, size: int, images: DataSet, n: int) -> float:
    """Of a processor for a step on so many images, whatever else the machine does meanwhile."""
    held = kernels.held() or kernels.NATIVE
    settings = replace(run.settings, precision=subjects.fastest(), kernels=held)
    small = replace(run, settings=settings, point={**run.point, "batch_size": size})
    with runtime.deterministic(1, held):
        step = gpu_checks.steps(small, images, torch.channels_last, 1)
        step()

        def spent() -> float:
            began = time.process_time()
            step()
            return time.process_time() - began

        return median(spent() for _ in range(n))


def _flops(run: Run, size: int) -> float:
    """Of a training step on a batch; of one image without gradients, three times less."""
    module = zoo.build(run.net, **run.point)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.zeros(1, 3, 32, 32))
    return 3.0 * float(counter.get_total_flops()) * size


def _run_seconds(run: Run, speed: float) -> float:
    """Of all epochs, with their tests, at so many FLOP/s."""
    tests = 2 if run.settings.augment.changes else 1
    epoch = _flops(run, TRAIN) + tests * _flops(run, TEST) / 3
    return run.settings.epochs * epoch / speed + OVERHEAD


def _wall(grids: Sequence[Sequence[float]], nodes: int) -> float:
    """Until the last run of grids in turn ends, if each processor that is free takes the next."""
    total = 0.0
    for seconds in grids:
        ends = [0.0] * (nodes * (os.cpu_count() or 1))
        for each in seconds:
            heapq.heappush(ends, heapq.heappop(ends) + each)
        total += max(ends)
    return total
