"""Augmentation of training images: random crop, horizontal flip and color jitter.

Every image gets its own random draws, yet a batch is transformed at once, on its own device. The
randomness (`draw`) is separate from the arithmetic (`apply`): the draws of an epoch are made on
the CPU from one generator, so they depend on neither the device nor the batch size.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor

PADDING = 4  # zeros on each side of an image before it is cropped to its own size, in pixels
JITTER = 0.5  # largest distance of a brightness, contrast or saturation factor from 1
# the jitter's operations, as Draws.order names them and Draws.factors numbers its columns
BRIGHTNESS, CONTRAST, SATURATION = range(3)
_ORDERS = tuple(itertools.permutations((BRIGHTNESS, CONTRAST, SATURATION)))
# torchvision's weights (transforms.v2.functional.rgb_to_grayscale); their sum is 0.9999, not 1
_GRAY_WEIGHTS = (0.2989, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Draws:
    """What chance decided for each of N images.

    Attributes:
        top, left: (N,) int64, where the crop begins in the padded image, 0 to 2 * `PADDING`.
        flip: (N,) bool, whether the crop is mirrored left to right.
        order: (N, 3) int64, `order[n, k]` is the operation applied to image n as its k-th.
        factors: (N, 3) float32, the factors of brightness, contrast and saturation, in columns
            of these names whatever the order; 1 leaves an image as it is.
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


def draw(n: int, generator: torch.Generator) -> Draws:
    """Draw the augmentation of n images, each independently of the others.

    As for the study's nets 3 and 4, all crops of the padded image are equally likely, as are all
    orders of the jitter operations; half of the images are flipped; factors are uniform in 1 -
    `JITTER` to 1 + `JITTER`. The draws, on the CPU, depend on n and the CPU generator only.
    """
    offsets = torch.randint(2 * PADDING + 1, (2, n), generator=generator)
    orders = torch.randint(len(_ORDERS), (n,), generator=generator)
    uniform = torch.rand(n, 3, generator=generator, dtype=torch.float32)
    return Draws(
        top=offsets[0],
        left=offsets[1],
        flip=torch.randint(2, (n,), generator=generator).bool(),
        order=torch.tensor(_ORDERS)[orders],
        factors=1 + JITTER * (2 * uniform - 1),
    )


def apply(images: Tensor, draws: Draws) -> Tensor:
    """Crop, flip and jitter a batch of images as drawn.

    The operations are torchvision's on float images: zero padding and crop, `horizontal_flip`,
    then `adjust_brightness`, `adjust_contrast` and `adjust_saturation` in the drawn order, each
    clamped to [0, 1]. An image's result does not depend on the rest of the batch.

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
    """Read each crop out of its padded image, from right to left where it is flipped."""
    batch, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)

    padded = images.new_zeros(batch, channels, height + 2 * PADDING, width + 2 * PADDING)
    padded[:, :, PADDING : PADDING + height, PADDING : PADDING + width] = images

    from_row = draws.top[:, None] + rows  # (B, H)
    from_column = draws.left[:, None] + torch.where(
        draws.flip[:, None], columns.flip(0), columns
    )  # (B, W)
    source = from_row[:, :, None] * padded.shape[3] + from_column[:, None, :]  # (B, H, W)
    # one index serves the three channels: expanded, never copied
    source = source.view(batch, 1, height * width).expand(-1, channels, -1)
    return padded.flatten(2).gather(2, source).view(batch, channels, height, width)


def _jitter_in_place(pixels: Tensor, draws: Draws) -> Tensor:
    """Apply the three operations to (B, 3, H, W) floats, to each image in its own order.

    All three are x -> clamp(factor * x + (1 - factor) * target). The target is black for
    brightness, the image's mean gray for contrast and its gray picture for saturation, so that
    the images of a batch differ in the weights of two targets and nothing else.
    """
    factors = draws.factors.gather(1, draws.order)
    rest = 1 - factors
    steps = torch.stack(
        (factors, rest * (draws.order == CONTRAST), rest * (draws.order == SATURATION))
    )  # (3 weights, B, 3 steps)
    for own, of_mean, of_gray in steps.permute(2, 0, 1)[..., None, None, None]:
        gray = _gray(pixels)
        mean = gray.mean((1, 2, 3), keepdim=True)
        target = gray.mul_(of_gray).add_(mean.mul_(of_mean))
        pixels.mul_(own).add_(target).clamp_(0, 1)
    return pixels


def _gray(pixels: Tensor) -> Tensor:
    """Gray picture (B, 1, H, W) of (B, 3, H, W), as torchvision weighs the colors."""
    red, green, blue = pixels[:, 0:1], pixels[:, 1:2], pixels[:, 2:3]
    weights = _GRAY_WEIGHTS
    return red.mul(weights[0]).add_(green, alpha=weights[1]).add_(blue, alpha=weights[2])
