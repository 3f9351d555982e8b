"""The network on its page: a pass in JavaScript, beside torch's, and what a window saves of it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib.resources import files as resources
from pathlib import Path
from statistics import median

import torch

from benchmarks import subjects
from benchmarks.measuring import Row, clocked, duration, interleaved
from convscope.data.datasets import to_unit
from convscope.report.explorer import network

TITLE = "The network on its page, in node's V8 (chromium's), beside torch on one thread"
SCRIPT = Path(__file__).with_name("passes.mjs")
WINDOW = 7
# a window that is dragged should be followed at once
GOAL = 0.06
WIDTHS = (8, 12)


def rows(quick: bool) -> Iterator[Row]:
    """Net4 at the widths of the shipped studies that run live, on images of the test set."""
    node = shutil.which("node")
    if node is None:
        yield Row("a pass of net4 on its page", result="not measured: node is not here")
        return
    images = subjects.images().test_images[: 3 if quick else 30]
    for width in WIDTHS:
        module = subjects.trained("net4", width, 32 if quick else 2_000, threads=1)
        question = {
            "network": network.packed(module),
            "images": images.flatten(1).tolist(),
            "window": WINDOW,
        }
        web = resources("convscope.report.explorer") / "web"
        command = [node, "--no-warnings", str(SCRIPT), str(web)]
        done = subprocess.run(
            command, input=json.dumps(question), capture_output=True, text=True, check=True
        )
        kinds: dict[str, list[float]] = json.loads(done.stdout)
        yield from _compared(width, kinds, _torch_seconds(module, images))


def _torch_seconds(module: torch.nn.Module, images: torch.Tensor) -> list[float]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            passes = [clocked(partial(module, one)) for one in to_unit(images).split(1)]
            return [interleaved(1, one)[0][0] for one in passes]
    finally:
        torch.set_num_threads(threads)


def _compared(width: int, kinds: dict[str, list[float]], torchs: list[float]) -> Iterator[Row]:
    # the first passes are those that V8 compiles in
    whole, window, filters = (median(times[len(times) // 5 :]) for times in kinds.values())
    other, n = median(torchs), len(torchs)
    yield Row(
        f"net4, l1_oc {width}: an image, beside torch",
        duration(whole),
        duration(other),
        f"{whole / other:.1f} times as long",
        f"below {duration(GOAL)}",
        whole < GOAL,
        n,
    )
    for what, found in ((f"a window of {WINDOW}", window), ("a filter of conv4 off", filters)):
        yield Row(
            f"net4, l1_oc {width}: the same image with {what}, beside all of it again",
            duration(found),
            duration(whole),
            f"{whole / found:.2f} times as fast",
            n=n,
        )
