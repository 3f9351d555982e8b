"""Forward passes of many images that differ from a clean one only inside a small square.

A convolution or a pooling turns a changed square of its input into a changed square of its output
and leaves the rest of the clean feature map as it is. So the first layers, whose maps are the
largest, are computed on the squares alone, with their surroundings taken from the clean map. The
outputs are those of the whole images but for floating-point rounding.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

_POINTWISE = (nn.ReLU, nn.BatchNorm2d, nn.Dropout)


@dataclass(frozen=True)
class Patches:
    """Changed squares, each of one image or feature map.

    Attributes:
        values: (M, C, n, n) float, the new contents of the squares.
        corners: (M, 2) int64, row and column of each square's top left pixel; none sticks out.
        owners: (M,) int64, which of the clean images each square changes.
    """

    values: Tensor
    corners: Tensor
    owners: Tensor


class _Slide(NamedTuple):
    """How a layer's square window moves over its input."""

    kernel: int
    stride: int
    padding: int


def logits(module: nn.Sequential, clean: Tensor, patches: Patches) -> Tensor:
    """The network's outputs for images with one changed square each.

    Any network gives the same outputs as its whole images do; it is faster for those that begin
    with convolutions, poolings and layers that treat every pixel alike.

    Args:
        module: A network in evaluation mode.
        clean: (B, C, H, W) float, the images before the change.
        patches: M changed squares, on the same device.

    Returns:
        (M, classes) float32.
    """
    clean = _channels_last(clean)
    children = list(module)
    shared = 0
    for child in children:
        if isinstance(child, _POINTWISE):
            clean, patches = child(clean), _replace(patches, child(patches.values))
        elif (grown := _grown(child, clean, patches)) is not None:
            clean, patches = child(clean), grown
        else:
            break
        shared += 1
    whole = _channels_last(_channels_last(clean)[patches.owners])
    _paste(whole, patches.corners, patches.values)
    output: Tensor = nn.Sequential(*children[shared:])(whole)
    return output.float()


def _grown(child: nn.Module, clean: Tensor, patches: Patches) -> Patches | None:
    """The squares that change after a layer; None where that is the whole map or not known."""
    slide = _slide(child)
    height, width = clean.shape[-2:]
    if slide is None or height != width:
        return None
    kernel, stride, padding = slide
    outputs = (height + 2 * padding - kernel) // stride + 1
    # the most outputs that a square can touch, however it lies to the stride
    count = (patches.values.shape[-1] + kernel - 2) // stride + 1
    if count >= outputs:
        return None
    # the first output whose window reaches the square: rounded up to a multiple of the stride
    first = (patches.corners + padding - kernel + stride) // stride
    first = first.clamp(0, outputs - count)
    # stride - 1 pixels more than the windows need: a square may end where no window reaches
    after = padding + stride - 1
    surroundings = F.pad(clean, (padding, after, padding, after))
    crops = _crop(surroundings, patches.owners, first * stride, count * stride + kernel - 1)
    _paste(crops, patches.corners + padding - first * stride, patches.values)
    return Patches(_apply(child, crops), first, patches.owners)


def _slide(child: nn.Module) -> _Slide | None:
    """A layer's window, if the layer is a plain convolution or pooling with overlap or no gaps."""
    match child:
        case nn.Conv2d(
            kernel_size=(kernel, across),
            stride=(stride, stride_across),
            padding=(int(padding), int(padding_across)),
            dilation=(1, 1),
            padding_mode="zeros",
        ) if (kernel, stride, padding) == (across, stride_across, padding_across):
            slide = _Slide(kernel, stride, padding)
        case nn.MaxPool2d(
            kernel_size=int(kernel), stride=int(stride), padding=0, dilation=1, ceil_mode=False
        ):
            slide = _Slide(kernel, stride, 0)
        case _:
            return None
    return slide if slide.stride <= slide.kernel else None


def _apply(child: nn.Module, crops: Tensor) -> Tensor:
    """A layer's output for crops that already hold its padding."""
    if isinstance(child, nn.Conv2d):
        return F.conv2d(crops, child.weight, child.bias, child.stride, groups=child.groups)
    output: Tensor = child(crops)
    return output


def _replace(patches: Patches, values: Tensor) -> Patches:
    """The same squares with other contents."""
    return Patches(values, patches.corners, patches.owners)


def _channels_last(maps: Tensor) -> Tensor:
    """The same maps (N, C, H, W) with each pixel's channels side by side in memory."""
    return maps.contiguous(memory_format=torch.channels_last)


def _pixels(maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) with channels last in memory as a view (N * H * W, C)."""
    return maps.permute(0, 2, 3, 1).view(-1, maps.shape[1])


def _squares(maps: Tensor, owners: Tensor, corners: Tensor, size: int) -> Tensor:
    """Where the pixels of squares are in ``_pixels(maps)``: (M * size * size,)."""
    height, width = maps.shape[-2:]
    steps = torch.arange(size, device=maps.device)
    rows = owners[:, None] * height + corners[:, :1] + steps
    columns = corners[:, 1:] + steps
    return (rows[:, :, None] * width + columns[:, None, :]).flatten()


def _crop(maps: Tensor, owners: Tensor, corners: Tensor, size: int) -> Tensor:
    """Copies of squares of maps (B, C, H, W): (M, C, size, size), channels last in memory."""
    where = _squares(maps, owners, corners, size)
    # whole rows of channels: several times faster than indexing with three tensors
    pixels = _pixels(_channels_last(maps)).index_select(0, where)
    return pixels.view(len(owners), size, size, -1).permute(0, 3, 1, 2)


def _paste(maps: Tensor, corners: Tensor, squares: Tensor) -> None:
    """Write square i into map i, in place; the maps have channels last in memory."""
    each = torch.arange(len(maps), device=maps.device)
    where = _squares(maps, each, corners, squares.shape[-1])
    _pixels(maps).index_copy_(0, where, _pixels(_channels_last(squares)))
