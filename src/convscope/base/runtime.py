"""On which device a stage runs, in how many processes, and deterministically."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from convscope.base import kernels
from convscope.base.errors import UserError
from convscope.base.names import CUDA_GRAPHS, DEVICE, WORKERS


def device() -> torch.device:
    """The device in CONVSCOPE_DEVICE, by default CUDA where there is one and kernels are native."""
    asked, available = os.environ.get(DEVICE, "auto"), torch.cuda.is_available()
    if asked == "mps":
        raise UserError(
            f"{DEVICE}=mps: Apple's GPU rounds differently, and its results have never been "
            "compared with a processor's: set it to auto or cpu"
        )
    if asked not in ("auto", "cpu", "cuda"):
        raise UserError(f"{DEVICE}={asked}: set it to auto, cpu or cuda")
    if asked == "cuda" and not available:
        raise UserError(f"{DEVICE}=cuda, but torch sees no CUDA device: set it to auto or cpu")
    if kernels.held() == kernels.PORTABLE:
        if asked == "cuda":
            raise UserError(
                f"{DEVICE}=cuda, but portable kernels run on processors only: set kernels to "
                f"native in params.yaml, or {DEVICE} to cpu"
            )
        return torch.device("cpu")
    return torch.device("cuda" if available and asked != "cpu" else "cpu")


def workers(threads: int) -> int:
    """How many runs of so many CPU threads are trained at a time.

    It is CONVSCOPE_WORKERS, 1 to 256 or a UserError; by default 1 on a CUDA device, and elsewhere
    what fills the processors.
    """
    asked = os.environ.get(WORKERS)
    if asked is not None:
        if not asked.isdecimal() or len(asked) > 3 or not 1 <= int(asked) <= 256:
            raise UserError(f"{WORKERS}={asked}: set it to a whole number from 1 to 256")
        return int(asked)
    if device().type == "cuda":
        return 1
    from joblib import cpu_count  # it knows of affinity and of a container's quota

    return max(1, int(cpu_count()) // threads)


def cuda_graphs(device: torch.device) -> bool:
    """Whether training steps are replayed: on CUDA, unless CONVSCOPE_CUDA_GRAPHS is ``off``."""
    asked = os.environ.get(CUDA_GRAPHS, "on")
    if asked not in ("on", "off"):
        raise UserError(f"{CUDA_GRAPHS}={asked}: set it to on or off")
    return asked == "on" and device.type == "cuda"


@contextmanager
def deterministic(threads: int, kind: str) -> Iterator[None]:
    """Compute with deterministic algorithms, full fp32 and a fixed number of CPU threads.

    The bits of a sum depend on how many threads share it, so their number is a parameter of the
    pipeline and not a property of the machine. On a GPU torch lets convolutions, and on request
    matrix products, round fp32 to 10 bits (TF32); ``train.precision: fp32`` promises 23.

    Raises:
        UserError: This process does not compute by ``kind`` of kernels, portable or native.
    """
    kernels.hold(kind)
    guard: Any = torch.utils.deterministic  # its attribute is a property of the module's class
    before = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    with (
        # filling what is then written anyway takes a tenth of the time, and no bit depends on it
        _off(guard, "fill_uninitialized_memory"),
        _off(torch.backends.cudnn, "allow_tf32"),
        _off(torch.backends.cuda.matmul, "allow_tf32"),
    ):
        torch.set_num_threads(threads)
        # unlike torch.use_deterministic_algorithms, this does not import torch's compiler: a second
        torch.set_deterministic_debug_mode("error")
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.set_deterministic_debug_mode(before[1])


@contextmanager
def _off(settings: Any, name: str) -> Iterator[None]:
    """Switch one of torch's settings off, then back to what it was."""
    before = getattr(settings, name)
    setattr(settings, name, False)
    try:
        yield
    finally:
        setattr(settings, name, before)
