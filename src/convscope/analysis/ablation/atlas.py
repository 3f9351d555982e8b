"""The ablation atlas: every single filter of every convolution ablated alone.

The obvious way runs the complete network once for every filter. Here the layers before a filter run
once for all, and so does the layer after it, because that one is linear: zeroing filter c changes
channel c of its input only, so its output changes by that channel's difference through its
weights for channel c. Only what follows runs once for each filter, and only for images on which the
filter made a difference.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain

import torch
from torch import nn
from torch.nn import functional

from convscope.base.parallel import side_by_side
from convscope.nets.fused import folded, fused
from convscope.nets.inference import as_input

# layers that keep channels apart
_CHANNELWISE = (nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Dropout)


@dataclass(frozen=True)
class Atlas:
    """How many images a network gets right with each of its filters ablated alone; all int64."""

    images: torch.Tensor  # (C,) how many images are of each of the C classes
    intact: torch.Tensor  # (C,) how many of them the intact network gets right
    ablated: dict[str, torch.Tensor]  # by convolution, (filters, C), how many the ablated one does
    # by convolution, (filters,), how many the intact network gets right and the ablated one wrong
    lost: dict[str, torch.Tensor]

    def gained(self, layer: str) -> torch.Tensor:
        """(filters,) int64: how many images only the ablated network gets right."""
        return self.lost[layer] - (self.intact.sum() - self.ablated[layer].sum(1))

    def drop(self, layer: str) -> torch.Tensor:
        """(filters,) float64: overall accuracy before - after, in [-1, 1]."""
        lost = self.intact.sum() - self.ablated[layer].sum(1)
        return lost.double() / self.images.sum()

    def class_drop(self, layer: str) -> torch.Tensor:
        """(filters, C) float64: accuracy before - after by class; 0 for an absent class."""
        return (self.intact - self.ablated[layer]).double() / self.images.clamp(min=1)


@dataclass(frozen=True)
class _Block:
    """A weighted layer and the channelwise layers up to the next weighted one."""

    name: str
    weighted: nn.Conv2d | nn.Linear
    tail: nn.Sequential


def atlas(
    module: nn.Sequential,
    images: torch.Tensor,
    labels: torch.Tensor,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> Atlas:
    """Ablate every filter of every convolution alone (study, part 2.2.2).

    Weights are set to zero and the bias is kept, as in ``joint.ablated``. Batch normalization is
    folded into the convolutions, so single logits differ from the plain network's by rounding.

    Args:
        module: Left as it is, whatever its mode.
        images: (N, 3, 32, 32), uint8, or float in [0, 1]; on any device.
        labels: (N,) int64, true classes.
        batch_size: Images, and (filter, image) pairs, in memory at a time.
        progress: Called with (done, total) after each layer of each batch; the unit is a pair.

    Returns:
        Counts, on the CPU.

    Raises:
        ValueError: The network has a layer that the shortcut does not hold for.
    """
    labels = labels.cpu()
    blocks = _blocks(module)
    found = _zero_counts(blocks, labels)
    device = blocks[0].weighted.weight.device
    done, total = 0, len(images) * sum(map(len, found.ablated.values()))
    batches = zip(torch.split(images, batch_size), torch.split(labels, batch_size), strict=True)
    with torch.inference_mode():
        for some, truth in batches:
            outputs = _outputs(blocks, as_input(some, device))
            intact = outputs[-1].argmax(1).cpu() == truth
            found.intact.index_add_(-1, truth, intact.long())
            for index, layer in enumerate(found.ablated):
                predictions = _predictions(blocks[index:], outputs[index:], batch_size)
                ablated = predictions.cpu() == truth
                found.ablated[layer].index_add_(-1, truth, ablated.long())
                found.lost[layer].add_((intact & ~ablated).sum(1))
                done += ablated.numel()
                if progress:
                    progress(done, total)
    return found


def _zero_counts(blocks: Sequence[_Block], labels: torch.Tensor) -> Atlas:
    """An atlas of nothing yet; convolutions come before all other blocks, in order."""
    classes = len(blocks[-1].weighted.weight)
    convolutions = [block for block in blocks if isinstance(block.weighted, nn.Conv2d)]
    none = torch.zeros(classes, dtype=torch.int64)
    return Atlas(
        images=torch.bincount(labels, minlength=classes),
        intact=none,
        ablated={each.name: none.repeat(len(each.weighted.weight), 1) for each in convolutions},
        lost={each.name: none.new_zeros(len(each.weighted.weight)) for each in convolutions},
    )


def _blocks(module: nn.Sequential) -> list[_Block]:
    """The network cut before each weighted layer, in evaluation mode, batch norms folded in."""
    blocks: list[_Block] = []
    for name, child in folded(deepcopy(module).eval()).named_children():
        match child:
            # linear in each input channel, with a number of zeros as padding
            case nn.Linear() | nn.Conv2d(groups=1, padding_mode="zeros", padding=(_, _)):
                blocks.append(_Block(name, child, nn.Sequential()))
            case _ if blocks and isinstance(child, _CHANNELWISE):
                blocks[-1].tail.append(child)
            case _:
                raise ValueError(f"the atlas cannot pass through layer {name}: {child}")
    if not blocks or not isinstance(blocks[-1].weighted, nn.Linear):
        raise ValueError("the atlas needs a network that ends in a fully connected layer")
    return blocks


def _outputs(blocks: Sequence[_Block], inputs: torch.Tensor) -> list[torch.Tensor]:
    """What each weighted layer gives, before its tail; the last are the logits."""
    outputs = []
    # channels last: convolutions on a CPU are faster so, and _predictions computes in this order
    activation = inputs.contiguous(memory_format=torch.channels_last)
    for block in blocks:
        outputs.append(block.weighted(activation))
        activation = block.tail(outputs[-1])
    return outputs


def _predictions(
    blocks: Sequence[_Block], outputs: Sequence[torch.Tensor], batch_size: int
) -> torch.Tensor:
    """The classes predicted with each filter of the first block ablated, (filters, B) int64.

    The blocks are those from the ablated convolution on, the outputs what their weighted layers
    give in the intact network; a batch is of (filter, image) pairs.
    """
    difference = _difference(blocks[0], outputs[0])
    following, output = blocks[1].weighted, outputs[1]
    channels, features = difference.shape[1], output.shape[1]
    # (B, positions, features) and (channels, taps, features); a Linear has a single position
    intact = output.reshape(len(output), features, -1).transpose(1, 2)
    weights = following.weight.reshape(features, channels, -1).permute(1, 2, 0).contiguous()
    rest = fused(
        nn.Sequential(
            *blocks[1].tail, *chain.from_iterable((b.weighted, *b.tail) for b in blocks[2:])
        )
    )

    def changed(pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        filters, rows = pairs.T
        taps = _taps(following, difference[rows, filters])
        inputs = torch.baddbmm(intact[rows], taps, weights[filters]).transpose(1, 2)
        return filters, rows, rest(inputs.reshape(-1, *output.shape[1:])).argmax(1)

    predictions = outputs[-1].argmax(1).repeat(channels, 1)
    # where a filter makes no difference to an image, the intact prediction stands
    pairs = difference.flatten(2).any(2).T.nonzero()
    for filters, rows, found in side_by_side(changed, pairs.split(batch_size), pairs.device):
        predictions[filters, rows] = found
    return predictions


def _difference(block: _Block, output: torch.Tensor) -> torch.Tensor:
    """How ablation changes each channel of the next layer's input, (B, filters, H, W).

    Zero weights leave the bias at every position, whatever the image and the padding. If the tail
    ends in Flatten, H and W are one dimension.
    """
    bias = block.weighted.bias
    constant = torch.zeros_like(output[:1])
    if bias is not None:
        constant += bias[:, None, None]
    difference: torch.Tensor = block.tail(constant) - block.tail(output)
    return difference if difference.dim() == 4 else difference.reshape(*output.shape[:2], -1)


def _taps(layer: nn.Conv2d | nn.Linear, channel: torch.Tensor) -> torch.Tensor:
    """The inputs that each position of a layer's output sees in one channel.

    The channel is (P, H, W), or (P, H * W) for a Linear; its inputs are (P, positions, taps), with
    one position for a Linear.
    """
    if isinstance(layer, nn.Linear):
        return channel[:, None]
    assert not isinstance(layer.padding, str), "_blocks refuses such padding"
    columns = functional.unfold(
        channel[:, None], layer.kernel_size, layer.dilation, layer.padding, layer.stride
    )
    return columns.transpose(1, 2)
