"""The ablation atlas beside the obvious way: the whole network once for every filter."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks import subjects
from benchmarks.measuring import Row, clocked, cores, faster, interleaved, threads
from convscope.analysis.ablation import joint
from convscope.analysis.ablation.atlas import Atlas, atlas
from convscope.base import metrics
from convscope.data.datasets import to_unit
from convscope.nets import inference, receptive_field

TITLE = "The ablation atlas, beside a forward pass for every filter"
GOAL = 5.0
TOLERANCE = 0.1  # points of accuracy

Sample = list[tuple[str, int]]
Forward = Callable[[nn.Module, Tensor], Tensor]


def rows(quick: bool) -> Iterator[Row]:
    """The atlas of net4, wide on few images and narrow on more."""
    plans = [(4, 4, 4)] if quick else [(64, 16, 32), (24, 32, 16), (8, 100, 4)]
    for l1_oc, count, every in plans:
        module = subjects.trained("net4", l1_oc, 64 if quick else 1_000, cores(quick))
        data = subjects.part(1, count)
        with threads(cores(quick)):
            yield from _beside(
                f"net4, l1_oc {l1_oc}, {count} images",
                module,
                data.test_images[:count],
                data.test_labels[:count],
                every,
                n=1 if quick else 3,
            )


def _beside(
    what: str, module: nn.Sequential, images: Tensor, labels: Tensor, every: int, n: int
) -> Iterator[Row]:
    """The atlas beside a sample of the forward passes, whose time is scaled to all of them."""
    weights = dict(module.named_parameters())
    sizes = {name: len(weights[f"{name}.weight"]) for name in receptive_field.conv_layers(module)}
    sample = [(name, index) for name, size in sizes.items() for index in range(0, size, every)]
    scale = sum(sizes.values()) / len(sample)
    charted: list[Atlas] = []
    found: list[list[float]] = []
    ours, *naive = interleaved(
        n,
        clocked(lambda: charted.append(atlas(module, images, labels))),
        clocked(lambda: found.append(_one_by_one(module, images, labels, sample, _plain))),
        clocked(
            lambda: found.append(_one_by_one(module, images, labels, sample, inference.logits))
        ),
        warm_up=False,
    )
    part = f"{len(sample)} of {sum(sizes.values())} filters, scaled up"
    others = (("plain", GOAL), ("channels_last", None))
    for (other, goal), seconds in zip(others, naive, strict=True):
        scaled = [scale * each for each in seconds]
        yield faster(f"{what} (the other way: {other}, {part})", [ours, scaled], goal)
    right = (charted[0].ablated[name][index].sum() for name, index in sample)
    differences = [
        abs(float(count) / len(images) - accuracy)
        for count, accuracy in zip(right, found[0], strict=True)
    ]
    largest = 100 * max(differences)
    yield Row(
        f"{what}, largest difference of the accuracies",
        result=f"{largest:.2f} points",
        goal=f"at most {TOLERANCE:g} points",
        met=largest <= TOLERANCE,
    )


def _one_by_one(
    module: nn.Sequential, images: Tensor, labels: Tensor, sample: Sample, forward: Forward
) -> list[float]:
    """The accuracy with each filter ablated, from a whole forward pass for each."""
    return [
        metrics.accuracy(forward(joint.ablated(module, {name: [index]}), images), labels)
        for name, index in sample
    ]


def _plain(module: nn.Module, images: Tensor) -> Tensor:
    """The forward pass as one writes it: torch's own memory order, batches of 128."""
    plain = module.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    with torch.inference_mode():
        return torch.cat([plain(to_unit(batch)) for batch in images.split(inference.BATCH_SIZE)])
