"""Forward passes of many images that differ from a clean one only inside a small rectangle.

A convolution or a pooling turns a changed rectangle of its input into a changed rectangle of its
output and leaves the rest of the clean feature map as it is. So these layers are computed on the
rectangles alone, with their surroundings taken from the clean map. The outputs are those of the
complete images but for floating-point rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from convscope.nets.winograd import TILE, Winograd

_POINTWISE = (nn.ReLU, nn.BatchNorm2d, nn.Dropout)


@dataclass(frozen=True)
class Patches:
    """Changed rectangles of one size, each of one image or feature map."""

    values: Tensor  # (M, C, h, w) float, the new contents of the rectangles
    corners: Tensor  # (M, 2) int64, row and column of each one's top left pixel; none sticks out
    owners: Tensor  # (M,) int64, which of the clean images each rectangle changes


class _Slide(NamedTuple):
    """How a layer's square window moves over its input; it may compute ``tile`` outputs at once."""

    kernel: int
    stride: int
    padding: int
    tile: int = 1


@dataclass(frozen=True)
class _Step:
    """A layer that can be computed on rectangles."""

    child: nn.Module
    slide: _Slide | None  # none for a layer that treats every pixel alike
    # its input for the clean images, with zeros around; none for such a layer
    padded: Tensor | None
    outputs: tuple[int, int]  # rows and columns of its output that the next layer needs


@dataclass(frozen=True)
class Clean:
    """A network with all that it computes of some images before any of them changes."""

    steps: list[_Step]  # the layers that are computed on rectangles
    final: Tensor  # what the last of them gives, channels last in memory
    rest: nn.Sequential  # the other layers


def prepare(module: nn.Sequential, images: Tensor) -> Clean:
    """Run clean images through the layers that can be computed on rectangles.

    Any network in evaluation mode can be prepared; one is faster for beginning with convolutions,
    poolings and layers that treat every pixel alike. Images are (B, C, H, W) float.
    """
    steps: list[_Step] = []
    maps = _channels_last(images)
    children = list(module)
    for index, child in enumerate(children):
        slide = _slide(child)
        if slide is None and not isinstance(child, _POINTWISE):
            break
        padded = _padded(maps, slide) if slide else None
        maps = child(maps)
        if slide:
            maps = _needed(maps, children[index + 1 :])
        steps.append(_Step(child, slide, padded, (maps.shape[2], maps.shape[3])))
    return Clean(steps, _channels_last(maps), nn.Sequential(*children[len(steps) :]))


def logits(clean: Clean, patches: Patches) -> Tensor:
    """The network's outputs, (M, classes) float32, for images with one changed rectangle each."""
    for step in clean.steps:
        if step.slide is None:
            patches = replace(patches, values=step.child(patches.values))
        else:
            patches = _through(step, step.slide, patches)
    maps = patches.values
    if maps.shape[2:] != clean.final.shape[2:]:
        maps = _channels_last(clean.final[patches.owners])
        _paste(maps, patches.corners, patches.values)
    output: Tensor = clean.rest(maps)
    return output.float()


def _slide(child: nn.Module) -> _Slide | None:
    """A layer's window, if the layer is a plain convolution or pooling with overlap or no gaps."""
    match child:
        case Winograd(padding=int(padding)):
            return _Slide(3, 1, padding, TILE)
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


def _padded(maps: Tensor, slide: _Slide) -> Tensor:
    """Maps with a layer's zeros around, and behind them those that fill its last tile."""
    before, after = slide.padding, slide.padding + slide.tile - 1
    return _channels_last(F.pad(maps, (before, after, before, after)))


def _needed(maps: Tensor, following: Sequence[nn.Module]) -> Tensor:
    """What the following layers read of maps: pooling leaves out rows and columns at the end."""
    reader = next((child for child in following if not isinstance(child, _POINTWISE)), None)
    slide = _slide(reader) if isinstance(reader, nn.MaxPool2d) else None
    if slide is None:
        return maps
    height, width = (side - (side - slide.kernel) % slide.stride for side in maps.shape[2:])
    return maps[:, :, :height, :width]


def _through(step: _Step, slide: _Slide, patches: Patches) -> Patches:
    """The rectangles that change behind a layer: of one size, so some hold unchanged pixels too."""
    kernel, stride, padding, tile = slide
    outputs = patches.corners.new_tensor(step.outputs)
    size = patches.corners.new_tensor(patches.values.shape[2:])
    # the first output whose window reaches the rectangle, rounded up to a multiple of the stride,
    # and the last one
    first = ((patches.corners + padding - kernel + stride) // stride).clamp(min=0)
    last = (patches.corners + size - 1 + padding) // stride
    count = (torch.minimum(last, outputs - 1) - first + 1).amax(0).clamp(min=1)
    first = torch.minimum(first, outputs - count)
    rows, columns = count.tolist()
    # as many outputs as fill tiles
    seen = [-(-number // tile) * tile * stride + kernel - stride for number in (rows, columns)]
    crops = _cropped(step, slide, patches, first * stride - padding, seen)
    return Patches(_valid(step.child, crops)[:, :, :rows, :columns], first, patches.owners)


def _cropped(
    step: _Step, slide: _Slide, patches: Patches, starts: Tensor, size: list[int]
) -> Tensor:
    """What a layer sees of changed maps: (M, C, *size), from ``starts`` in the unpadded map on."""
    assert step.padded is not None, "a layer with a window has its input padded"
    height, width = patches.values.shape[2:]
    extra = slide.padding * 2 + slide.tile - 1
    if (height + extra, width + extra) == step.padded.shape[2:]:
        # nothing clean is left; pad takes away where it is given a negative number
        before, (below, right) = slide.padding, (size[0] - height, size[1] - width)
        pads = (before, right - before, before, below - before)
        return F.pad(patches.values, pads) if any(pads) else patches.values
    offsets = patches.corners - starts
    # where no window reaches the end of a rectangle, it sticks out
    sticking = offsets + offsets.new_tensor([height, width]) - offsets.new_tensor(size)
    beyond = sticking.amax(0).clamp(min=0)
    room = [side + more for side, more in zip(size, beyond.tolist(), strict=True)]
    crops = _crop(step.padded, patches.owners, starts + slide.padding, room)
    _paste(crops, offsets, patches.values)
    return crops[:, :, : size[0], : size[1]]


def _valid(child: nn.Module, crops: Tensor) -> Tensor:
    """A layer's output for crops that already hold its padding."""
    match child:
        case Winograd():
            return child.of_padded(crops)
        case nn.Conv2d():
            return F.conv2d(crops, child.weight, child.bias, child.stride, groups=child.groups)
    output: Tensor = child(crops)
    return output


def _channels_last(maps: Tensor) -> Tensor:
    """The same maps (N, C, H, W) with each pixel's channels side by side in memory."""
    return maps.contiguous(memory_format=torch.channels_last)


def _pixels(maps: Tensor) -> Tensor:
    """Maps (N, C, H, W) with channels last in memory as a view (N * H * W, C)."""
    return maps.permute(0, 2, 3, 1).view(-1, maps.shape[1])


def _rectangles(maps: Tensor, owners: Tensor, corners: Tensor, size: list[int]) -> Tensor:
    """Where the pixels of rectangles are in ``_pixels(maps)``: (M * height * width,)."""
    height, width = maps.shape[-2:]
    down, across = (torch.arange(side, device=maps.device) for side in size)
    rows = owners[:, None] * height + corners[:, :1] + down
    columns = corners[:, 1:] + across
    return (rows[:, :, None] * width + columns[:, None, :]).flatten()


def _crop(maps: Tensor, owners: Tensor, corners: Tensor, size: list[int]) -> Tensor:
    """Copies of rectangles of maps (B, C, H, W): (M, C, *size), channels last in memory."""
    where = _rectangles(maps, owners, corners, size)
    # complete rows of channels: several times faster than indexing with three tensors
    pixels = _pixels(maps).index_select(0, where)
    return pixels.view(len(owners), *size, -1).permute(0, 3, 1, 2)


def _paste(maps: Tensor, corners: Tensor, rectangles: Tensor) -> None:
    """Write rectangle i into map i, in place; the maps have channels last in memory."""
    each = torch.arange(len(maps), device=maps.device)
    where = _rectangles(maps, each, corners, list(rectangles.shape[2:]))
    _pixels(maps).index_copy_(0, where, _pixels(_channels_last(rectangles)))
