"""3x3 convolutions with a quarter of the multiplications.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016): a tile of 4x4 outputs is
a linear function of 6x6 inputs and of 3x3 weights. Both are transformed to 6x6 values, which
multiply one by one, 36 products where the plain way needs 144, and a last transform gives the
outputs. Over all tiles and channels the products are 36 matrix products.
"""

from functools import cache
from typing import TypeGuard

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

TILE = 4
"""Side of a tile of outputs, in pixels."""

_KERNEL = 3
_SEEN = TILE + _KERNEL - 1
# The transforms evaluate polynomials at these points and at infinity. Opposite and reciprocal pairs
# round about twice as much as a plain convolution; the usual 1, -1, 2, -2 several times more.
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2.0**0.5, -(2.0**0.5))
# measured: with fewer channels (inputs times outputs) the transforms cost what the products save
_FEWEST_CHANNELS = 128 * 128
# measured: transformed tiles that stay in a processor's cache, and suffice for a matrix product
_TILES_AT_A_TIME = 256


class Winograd(nn.Module):
    """The function of a 3x3 convolution, but for rounding, on a CPU and in evaluation.

    Attributes:
        padding: Zeros on every side of its input, in pixels.
        pooled: Rows and columns at the end that do not fill a window of this side are left out.
    """

    products: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d, pooled: int = 1) -> None:
        """Transform the weights of a convolution that is ``suitable``."""
        super().__init__()
        self.padding, self.pooled = int(conv.padding[0]), pooled
        weights = conv.weight.detach().double().permute(2, 3, 1, 0)
        _, of_weights, _ = _transforms()
        transform = torch.kron(of_weights, of_weights)
        products = (transform @ weights.reshape(_KERNEL**2, -1)).float()
        self.register_buffer("products", products.view(_SEEN**2, *weights.shape[2:]))
        bias = torch.zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()
        self.register_buffer("bias", bias)

    def forward(self, maps: Tensor) -> Tensor:
        """The convolution of maps (N, C, H, W) float32.

        Returns:
            (N, K, H + 2 * padding - 2, W + 2 * padding - 2) float32, or less as ``pooled`` says;
            channels last in memory.
        """
        before, sides = self.padding, maps.shape[-2:]
        full = [side + 2 * before - _KERNEL + 1 for side in sides]
        height, width = (side - side % self.pooled for side in full)
        # a negative number takes away
        below, right = (
            -(-needed // TILE) * TILE + _KERNEL - 1 - before - side
            for needed, side in zip((height, width), sides, strict=True)
        )
        padded = F.pad(maps, (before, right, before, below))
        return self.of_padded(padded)[:, :, :height, :width]

    def of_padded(self, maps: Tensor) -> Tensor:
        """The convolution of maps that hold their padding, in complete tiles.

        Args:
            maps: (N, C, 4 * rows + 2, 4 * columns + 2) float32; it may be part of larger maps.

        Returns:
            (N, K, 4 * rows, 4 * columns) float32, channels last in memory.
        """
        rows, columns = ((side - _KERNEL + 1) // TILE for side in maps.shape[-2:])
        some = max(1, _TILES_AT_A_TIME // (rows * columns))
        outputs = maps.new_empty(len(maps), TILE * rows, TILE * columns, len(self.bias))
        for part, result in zip(maps.split(some), outputs.split(some), strict=True):
            self._tiles(part, result.view(len(part), rows, TILE, columns, TILE, -1))
        return outputs.permute(0, 3, 1, 2)

    def _tiles(self, maps: Tensor, outputs: Tensor) -> None:
        """Write the convolution of maps into outputs (N, rows, 4, columns, 4, K)."""
        of_inputs, of_products = _kronecker()
        channels = maps.shape[1]
        # (6, 6, N, rows, columns, C): overlapping tiles, copied once
        tiles = maps.unfold(2, _SEEN, TILE).unfold(3, _SEEN, TILE).permute(4, 5, 0, 2, 3, 1)
        inputs = of_inputs @ tiles.reshape(_SEEN**2, -1)
        products = torch.bmm(inputs.view(_SEEN**2, -1, channels), self.products)
        results = (of_products @ products.flatten(1)).view(TILE, TILE, *tiles.shape[2:5], -1)
        torch.add(results.permute(2, 3, 0, 4, 1, 5), self.bias, out=outputs)


def suitable(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether ``Winograd`` can take a layer's place, and is faster."""
    return (
        isinstance(layer, nn.Conv2d)
        and layer.kernel_size == (_KERNEL, _KERNEL)
        and layer.stride == layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.padding_mode == "zeros"
        and layer.padding in ((0, 0), (1, 1))
        and layer.in_channels * layer.out_channels >= _FEWEST_CHANNELS
        and layer.weight.dtype == torch.float32
        and layer.weight.device.type == "cpu"  # elsewhere the library chooses such ways itself
    )


@cache
def _transforms() -> tuple[Tensor, Tensor, Tensor]:
    """The transforms of a row of inputs, weights and products: (6, 6), (6, 3) and (4, 6) float64.

    Transposing a multiplication of polynomials with 4 and 3 coefficients, by their values at the
    points, gives 4 outputs of a filter with 3 weights (Toom and Cook; the paper's section 4.1).
    """
    powers = torch.tensor(_POINTS, dtype=torch.float64)[:, None] ** torch.arange(_SEEN)

    def values(coefficients: int) -> Tensor:
        """Polynomials' values at the points; the value at infinity is the last coefficient."""
        at_infinity = torch.eye(coefficients, dtype=torch.float64)[-1:]
        return torch.cat([powers[:, :coefficients], at_infinity])

    of_inputs, of_weights = torch.linalg.inv(values(_SEEN).T), values(_KERNEL)
    # a factor moved from one to the other, so that transformed weights are no larger than weights
    size = of_weights.abs().sum(1, keepdim=True)
    return of_inputs * size, of_weights / size, values(TILE).T


@cache
def _kronecker() -> tuple[Tensor, Tensor]:
    """The transforms of a tile of inputs and of products, rows by rows: (36, 36), (16, 36)."""
    of_inputs, _, of_products = _transforms()
    return torch.kron(of_inputs, of_inputs).float(), torch.kron(of_products, of_products).float()
