"""Augmentation of training images: random crop, horizontal flip and color jitter.

Every image gets its own random draws, yet a batch is transformed at once, on its own device. The
randomness (`draw`) is separate from the arithmetic (`apply`): the draws of an epoch are made on
the CPU from one generator, so they depend on neither the device nor the batch size.
"""

import itertools
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

import torch
from torch import Tensor

# the jitter's operations, as Draws.order names them and Draws.factors numbers its columns
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
# torchvision's weights (transforms.v2.functional.rgb_to_grayscale); their sum is 0.9999, not 1
_GRAY_WEIGHTS = (0.2989, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """How strongly images are augmented; all zeros leave them as they are.

    Attributes:
        padding: Zeros on each side of an image before it is cropped to its own size, in pixels.
        flip: The probability that an image is mirrored left to right.
        brightness, contrast, saturation: The largest distance of each factor from 1, 0 to 1.
        hue: The largest turn of the color wheel, 0 to 0.5 (half a turn).
    """

    padding: int = 0
    flip: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether it changes images."""
        return any(astuple(self))

    @property
    def jitter(self) -> tuple[float, ...]:
        """The strengths of the jitter's operations: none, or three, or with hue four."""
        strengths = (self.brightness, self.contrast, self.saturation)
        return (*strengths, self.hue) if self.hue else strengths * any(strengths)


@dataclass(frozen=True, eq=False)
class Draws:
    """What chance decided for each of N images, with J = 0, 3 or 4 operations of color jitter.

    Attributes:
        top, left: (N,) int64, by how many pixels the crop is below and right of the image, at most
            the padding and at least its negative.
        flip: (N,) bool, whether the crop is mirrored left to right.
        order: (N, J) int64, `order[n, k]` is the operation applied to image n as its k-th.
        factors: (N, J) float32, in columns by operation whatever the order. Brightness, contrast
            and saturation are factors, and 1 leaves an image as it is; hue is the part of a turn.
    """

    top: Tensor
    left: Tensor
    flip: Tensor
    order: Tensor
    factors: Tensor

    def __len__(self) -> int:
        return len(self.top)

    def __iter__(self) -> Iterator[Tensor]:
        return (getattr(self, field.name) for field in fields(self))

    def __getitem__(self, index: slice | Tensor) -> "Draws":
        return Draws(*(values[index] for values in self))

    def to(self, device: torch.device | str) -> "Draws":
        """The same draws on the device of the images to be transformed."""
        return Draws(*(values.to(device) for values in self))


def draw(n: int, augmentation: Augmentation, generator: torch.Generator) -> Draws:
    """Draw the augmentation of n images, each independently of the others.

    All crops of the padded image are equally likely, as are all orders of the jitter operations;
    factors are uniform in 1 - strength to 1 + strength, and hue in -strength to strength, as
    torchvision's ColorJitter draws them. The draws, on the CPU, depend on the arguments only.
    """
    reach = augmentation.padding
    offsets = torch.randint(-reach, reach + 1, (2, n), generator=generator)
    flip = torch.rand(n, generator=generator) < augmentation.flip
    jitter = torch.tensor(augmentation.jitter, dtype=torch.float32)
    orders = torch.tensor(list(itertools.permutations(range(len(jitter)))), dtype=torch.int64)
    which = torch.randint(len(orders), (n,), generator=generator)
    uniform = torch.rand(n, len(jitter), generator=generator, dtype=torch.float32)
    factors = jitter * (2 * uniform - 1)
    factors[:, :HUE] += 1
    return Draws(offsets[0], offsets[1], flip, orders[which], factors)


def apply(images: Tensor, draws: Draws) -> Tensor:
    """Crop, flip and jitter a batch of images as drawn.

    The operations are torchvision's on float images: zero padding and crop, `horizontal_flip`,
    then `adjust_brightness`, `adjust_contrast`, `adjust_saturation` and `adjust_hue` in the drawn
    order, each clamped to [0, 1]. An image's result does not depend on the rest of the batch.

    Args:
        images: (B, 3, H, W) uint8 RGB, in any memory format.
        draws: The draws of these B images, on the same device.

    Returns:
        (B, 3, H, W) float32 in [0, 1], contiguous (rows of a channel are adjacent).
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images are {tuple(images.shape)} {images.dtype}, not (B, 3, H, W) uint8")
    if len(images) != len(draws):
        raise ValueError(f"{len(images)} images, but draws for {len(draws)}")
    pixels = _crop_and_flip(images, draws).to(torch.float32).div_(255)
    return _jitter_in_place(pixels, draws)


def _crop_and_flip(images: Tensor, draws: Draws) -> Tensor:
    """Read each crop out of its image, black outside of it, from right to left where flipped."""
    batch, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    from_row = draws.top[:, None] + rows  # (B, H)
    from_column = draws.left[:, None] + torch.where(
        draws.flip[:, None], columns.flip(0), columns
    )  # (B, W)
    row, column = from_row.clamp(0, height - 1), from_column.clamp(0, width - 1)
    source = row[:, :, None] * width + column[:, None, :]  # (B, H, W)
    # one index serves the three channels: expanded, never copied
    source = source.view(batch, 1, height * width).expand(-1, channels, -1)
    pixels = images.flatten(2).gather(2, source).view(batch, channels, height, width)
    inside = (row == from_row)[:, None, :, None] & (column == from_column)[:, None, None, :]
    return pixels.mul_(inside)


def _jitter_in_place(pixels: Tensor, draws: Draws) -> Tensor:
    """Apply the operations to (B, 3, H, W) floats, to each image in its own order.

    All but hue are x -> clamp(factor * x + (1 - factor) * target). The target is black for
    brightness, the image's mean gray for contrast and its gray picture for saturation, so that
    the images of a batch differ in the weights of two targets and nothing else.
    """
    order, factors = draws.order, draws.factors.gather(1, draws.order)
    turns = factors.where(order == HUE, 0)
    factors = factors.where(order != HUE, 1)
    rest = 1 - factors
    steps = torch.stack(
        (factors, rest * (order == CONTRAST), rest * (order == SATURATION), turns)
    )  # (3 weights and a turn, B, J steps)
    for own, of_mean, of_gray, turn in steps.permute(2, 0, 1)[..., None, None, None]:
        gray = _gray(pixels)
        mean = gray.mean((1, 2, 3), keepdim=True)
        target = gray.mul_(of_gray).add_(mean.mul_(of_mean))
        pixels.mul_(own).add_(target).clamp_(0, 1)
        if order.shape[1] > HUE:
            pixels = torch.where(turn == 0, pixels, _turned(pixels, turn))
    return pixels


def _turned(pixels: Tensor, turn: Tensor) -> Tensor:
    """The hues of (B, 3, H, W) pixels turned by (B, 1, 1, 1) parts of the color wheel.

    A color's hue, chroma and value are its place in a hexagon; what a turn makes of red, green and
    blue are the same trapezoid, two sixths of the wheel apart (torchvision goes the same way).
    """
    red, green, blue = pixels.split(1, 1)
    low, value = pixels.aminmax(dim=1, keepdim=True)
    chroma = value - low
    least = chroma.where(chroma > 0, 1)  # of a gray pixel the hue does not matter
    hue = (red - green) / least + 4
    hue = torch.where(value == green, (blue - red) / least + 2, hue)
    hue = torch.where(value == red, (green - blue) / least, hue)
    apart = torch.arange(5, 0, -2, device=pixels.device).view(3, 1, 1)
    sixths = (hue + 6 * turn + apart).remainder(6)
    return value - chroma * torch.minimum(sixths, 4 - sixths).clamp(0, 1)


def _gray(pixels: Tensor) -> Tensor:
    """Gray picture (B, 1, H, W) of (B, 3, H, W), as torchvision weighs the colors."""
    red, green, blue = pixels[:, 0:1], pixels[:, 1:2], pixels[:, 2:3]
    weights = _GRAY_WEIGHTS
    return red.mul(weights[0]).add_(green, alpha=weights[1]).add_(blue, alpha=weights[2])
