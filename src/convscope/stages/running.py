"""Run a stage as the command line does: timed, tracked, and alone."""

import gc
import importlib
import os
import sys
import time
from pathlib import Path

from convscope.base import inputs, kernels, progress
from convscope.tracking import tracker


def run(name: str, net: str | None, what: str) -> None:
    """Run a stage, note how long it took, and send what it made to MLflow; a second one waits.

    Args:
        name: The stage as DVC names it.
        net: The network that it trains, if it trains one.
        what: What it does, in words.

    Raises:
        UserError: What the stage raises, or one of its inputs was changed while it ran.
    """
    gc.disable()  # what is imported stays: to look for garbage in it takes a second
    # figures are drawn into files; a notebook's shell asks for a backend that is not here
    os.environ["MPLBACKEND"] = "agg"
    progress.say(f"{name}: {what}")
    kernels.warn_of_other_bits(name)
    with inputs.followed(), tracker.Tracker(Path(), name) as tracking:
        seconds = _work(net, name, tracking)
    progress.say(f"{name}: finished in {seconds:.1f} s")


def _work(net: str | None, name: str, tracking: tracker.Tracker) -> float:
    """Run a stage, while its tracker gets ready and others are kept from it; its seconds."""
    # only now: the tracker's process is forked of one that has imported little
    from convscope.base import allocator, locks, timings
    from convscope.tracking.finished import fingerprint

    allocator.keep_freed_memory()
    module, arguments = name.replace("-", "_"), list[object]()
    if net is not None:
        from convscope.training import processes

        processes.warm_up()
        module, arguments = "train", [net, tracking]
    run = importlib.import_module(f"convscope.stages.{module}").run
    if figures := sys.modules.get("convscope.figures"):  # of a stage that draws
        figures.get_ready()
    gc.freeze()
    gc.enable()
    device = "cpu"  # of a stage that does not import torch
    if "torch" in sys.modules:
        from convscope.base import runtime

        device = runtime.device().type  # a wrong setting ends the stage before anything begins
    with locks.stage_lock(name):
        tracking.prepare()
        began = time.monotonic()
        run(*arguments)
        seconds = time.monotonic() - began
        inputs.require_unchanged()
        timings.record(name, "", fingerprint(Path(), name), seconds, device)
        tracking.publish()
        inputs.require_unchanged()  # DVC takes their hashes next
    return seconds
