"""The cost of the same bytes on every x86-64 processor: portable kernels beside native ones."""

import contextlib
import os
from collections.abc import Iterator
from unittest import mock

import torch

from benchmarks import subjects
from benchmarks.children import apart
from benchmarks.measuring import Row, Seconds, clocked, faster, interleaved
from convscope.analysis.ablation import atlas
from convscope.analysis.occlusion import sensitivity
from convscope.base.kernels import NATIVE, PORTABLE

TITLE = "Portable kernels, compared with native ones, in fp32 with one thread"
CPU = torch.device("cpu")


def rows(quick: bool) -> Iterator[Row]:
    """An epoch of two networks, and the two long analyses, by each kind in a process of its own."""
    images, n = (32, 1) if quick else (2_000, 5)
    for net, l1_oc in (("net1", 18), ("net4", 4 if quick else 12)):
        what = f"training {net}, l1_oc {l1_oc}, an epoch of {images:,} images"
        yield _row(what, n, _epoch, net, l1_oc, images)
    few, l1_oc, window = (2, 4, 28) if quick else (20, 8, 7)
    yield _row(f"occlusion maps of net4, {few} images", n, _maps, few, l1_oc, window)
    yield _row(f"atlas of net4, {few} images", n, _atlas, few, l1_oc)


def _row(what: str, n: int, function: object, *arguments: object) -> Row:
    with contextlib.ExitStack() as stack:
        measured = []
        for kind in (PORTABLE, NATIVE):
            with mock.patch.dict(os.environ, CONVSCOPE_KERNELS=kind):
                measured.append(stack.enter_context(apart(function, *arguments)))  # type: ignore[arg-type]
        return faster(what, interleaved(n, *measured))


def _epoch(net: str, l1_oc: int, images: int) -> Seconds:
    run, data = subjects.run(net, 1, {"l1_oc": l1_oc}), subjects.part(images, 16)
    return clocked(lambda: subjects.train(run, data, CPU))


def _maps(images: int, l1_oc: int, window: int) -> Seconds:
    module, data = subjects.trained("net4", l1_oc, 100, 1), subjects.part(16, images)
    return clocked(
        lambda: sensitivity.confidence_maps(module, data.test_images, data.test_labels, window)
    )


def _atlas(images: int, l1_oc: int) -> Seconds:
    module, data = subjects.trained("net4", l1_oc, 100, 1), subjects.part(16, images)
    return clocked(lambda: atlas.atlas(module, data.test_images, data.test_labels))
