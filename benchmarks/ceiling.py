"""What the processor allows: how fast it multiplies, and how near net4's convolutions come to that.

A step cannot be faster than its multiplications, so these bound every ratio in the training part.
"""

from collections.abc import Callable, Iterator
from statistics import median

import torch
from torch import Tensor, nn

from benchmarks import subjects
from benchmarks.measuring import Row, clocked, cores, interleaved, threads
from convscope.nets import zoo
from convscope.nets.receptive_field import conv_layers

TITLE = "What the processor allows"


def rows(quick: bool) -> Iterator[Row]:
    """Speeds in fp32 and in the precision that suits, with all threads."""
    side, l1_oc, images = (64, 4, 2) if quick else (2048, 64, 64)
    n = 1 if quick else 5
    fast = torch.bfloat16 if subjects.fastest() == "bf16" else torch.float32
    with threads(cores(quick)):
        plain, suited = interleaved(
            n, *(clocked(_product(side, dtype)) for dtype in (torch.float32, fast))
        )
        speeds = [2 * side**3 / median(times) for times in (suited, plain)]
        yield Row(
            f"matrix products, {side} x {side}: {_name(fast)}, beside fp32",
            _speed(speeds[0]),
            _speed(speeds[1]),
            f"{speeds[0] / speeds[1]:.2f} times as fast",
            n=n,
        )
        work, actions = _convolutions(l1_oc, images, fast)
        (taken,) = interleaved(n, clocked(lambda: [action() for action in actions]))
        speed = work / median(taken)
        yield Row(
            f"net4's convolutions, l1_oc {l1_oc}, forwards and backwards, {images} images: "
            f"{_name(fast)}, beside such a matrix product",
            _speed(speed),
            _speed(speeds[0]),
            f"{100 * speed / speeds[0]:.0f} % of its speed",
            n=n,
        )


def _name(dtype: torch.dtype) -> str:
    return "bf16" if dtype == torch.bfloat16 else "fp32"


def _speed(operations: float) -> str:
    """Multiplications and additions a second, in words."""
    return f"{operations / 1e9:.0f} GFLOP/s"


def _product(side: int, dtype: torch.dtype) -> Callable[[], Tensor]:
    left, right = (torch.randn(side, side).to(dtype) for _ in range(2))
    return lambda: left @ right


def _convolutions(
    l1_oc: int, images: int, dtype: torch.dtype
) -> tuple[float, list[Callable[[], None]]]:
    """The multiplications and additions of net4's convolutions in a step, and the doing of them."""
    module = zoo.build("net4", **{**subjects.POINT, "l1_oc": l1_oc})
    seen: dict[str, Tensor] = {}
    for name in conv_layers(module):
        module.get_submodule(name).register_forward_hook(
            lambda _, inputs, __, name=name: seen.__setitem__(name, inputs[0])
        )
    with torch.no_grad():
        module(torch.rand(images, 3, 32, 32))
    work, actions = 0.0, []
    for name, inputs in seen.items():
        conv = module.get_submodule(name).to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        maps = inputs.to(dtype).contiguous(memory_format=torch.channels_last)
        maps.requires_grad_(name != "conv1")  # nobody asks for an image's gradient
        outputs = conv(maps)
        passes = 3 if maps.requires_grad else 2
        work += 2 * passes * outputs.numel() * conv.weight[0].numel()
        actions.append(_both_ways(conv, maps, torch.ones_like(outputs)))
    return work, actions


def _both_ways(conv: nn.Module, maps: Tensor, gradient: Tensor) -> Callable[[], None]:
    def run() -> None:
        conv(maps).backward(gradient)

    return run
