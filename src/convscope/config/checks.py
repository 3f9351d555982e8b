"""Sections of params.yaml against each other, and against the images as far as they are known."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import torch

from convscope.base.names import AXES, SHAPE_AXES
from convscope.config.schema import Data, Grid, Selecting, Train
from convscope.data import digits
from convscope.data.datasets import stratified_part
from convscope.nets import filter_selection, zoo
from convscope.nets.layers import Norm, final_size

MAX_RUNS = 10_000
MAX_PARAMETERS = 200_000_000
# training images of a source; of others they are known once there is a data set
_IMAGES = {"digits": digits.TRAIN_IMAGES, "cifar10": 50_000, "cifar100": 50_000}
_TEST_IMAGES = {"digits": digits.TEST_IMAGES, "cifar10": 10_000, "cifar100": 10_000}
# of so many classes, of each of which a part that is held out is rounded
_CLASSES = {"digits": 10, "cifar10": 10, "cifar100": 100}

# the axes that decide a network's convolutions
_CONVOLUTIONS = [axis for axis in SHAPE_AXES if axis != "dropout_rate"]

_Shape = tuple[tuple[str, float], ...]


def grid(net: str, section: Grid, seeds: int) -> None:
    """Refuse a grid that is too large, or has a point whose network cannot be built.

    Raises:
        ValueError: The line for the user, as of every check here.
    """
    key = f"nets.{net}"
    runs = seeds * math.prod(len(getattr(section, axis)) for axis in AXES)
    if runs > MAX_RUNS:
        raise ValueError(
            f"{key} has {runs:,} runs, seeds counted, and a grid may have {MAX_RUNS:,}: list fewer "
            "values"
        )
    for shape in _shapes(section):
        try:
            parameters = _parameters(net, shape)
        except ValueError as error:
            raise ValueError(
                f"{key} has a point that cannot be built ({error}): change {_named(shape)}"
            ) from None
        if parameters > MAX_PARAMETERS:
            raise ValueError(
                f"{key} has a point ({_named(shape)}) of {parameters:,} parameters, and a "
                f"network may have {MAX_PARAMETERS:,}: lower its l1_oc or filter_multiplier"
            )


def filters(key: str, section: Selecting, net: str, of_net: Grid) -> None:
    """Refuse filters that a run of the analyzed network lacks: each may turn out the best."""
    for shape in _shapes(of_net, _CONVOLUTIONS):
        known = zoo.widths(net, **dict(shape))
        try:
            filter_selection.resolve(section.filters, section.convolutions, known)
        except ValueError as error:
            told = [(axis, value) for axis, value in shape if len(getattr(of_net, axis)) > 1]
            which = f"{net} with {_named(told)}" if told else net
            raise ValueError(
                f"{key}.filters: {error} ({which}), or give a number: the first so many filters of "
                "each convolution"
            ) from None


def images(data: Data) -> None:
    """Refuse more images than the source has."""
    for key, known in (("train", _IMAGES), ("test", _TEST_IMAGES)):
        held, wanted = known.get(data.source), getattr(data, f"{key}_images")
        if held is not None and wanted is not None and wanted > held:
            raise ValueError(
                f"data.{key}_images is {wanted}: take 10 to {held} images, or null for all {held}"
            )


def batches(nets: Mapping[str, Grid], train: Train, data: Data) -> None:
    """Refuse a batch that is larger than a training set can be that is not made yet."""
    known = [count for count in (_IMAGES.get(data.source), data.train_images) if count is not None]
    if not known:
        return
    most = min(known)
    if train.select_on == "validation" and data.source in _IMAGES:
        rounded = _CLASSES[data.source] / 2
        most = min(most, math.floor((1 - train.validation_fraction) * most + rounded))
    _no_larger(nets, most, "that there can be to train on")


def labels(nets: Mapping[str, Grid], train: Train, labels: torch.Tensor) -> None:
    """Refuse what does not fit the labels of the training images, (N,) int64."""
    count = len(labels)
    if train.select_on == "validation":
        # how many are held out is the same for every seed
        kept, held_out = stratified_part(labels, train.validation_fraction, seed=0)
        if not len(held_out):
            raise ValueError(
                f"train.validation_fraction: {train.validation_fraction} of each class is not one "
                "image: raise it, or take more images (data.train_images)"
            )
        count = len(kept)
    _no_larger(nets, count, "to train on")
    for net, section in nets.items():
        if any(count % size == 1 for size in section.batch_size):
            _no_single_value(net, section, count)


def _no_larger(nets: Mapping[str, Grid], images: int, which: str) -> None:
    for net, section in nets.items():
        if (largest := max(section.batch_size)) > images:
            raise ValueError(
                f"nets.{net}.batch_size: {largest} is more than the {images} images "
                f"{which}: lower it, or take more (data.train_images)"
            )


def _no_single_value(net: str, section: Grid, images: int) -> None:
    """Refuse batch normalization of one pixel in a last batch of one image: it has no variance."""
    for shape in _shapes(section):
        layers = zoo.layers(net, **dict(shape))
        sizes = [
            final_size(layers[:at]) for at, each in enumerate(layers) if isinstance(each, Norm)
        ]
        if 1 in sizes:
            raise ValueError(
                f"nets.{net}.batch_size: {images} images leave a last batch of one, whose 1x1 map "
                f"batch normalization cannot take ({_named(shape)}): change it, or "
                "data.train_images"
            )


def _shapes(section: Grid, axes: Sequence[str] = SHAPE_AXES) -> list[_Shape]:
    """The different shapes of a grid's networks, by these axes."""
    return sorted({tuple((axis, point[axis]) for axis in axes) for point in section.points()})


def _named(shape: Iterable[tuple[str, float]]) -> str:
    """A shape in words."""
    return ", ".join(f"{axis}={value:g}" for axis, value in shape)


@cache  # a stage reads the same grids again and again, to see that they have not changed
def _parameters(net: str, shape: _Shape) -> int:
    """The parameters of a network of this shape; a ValueError if there is none."""
    with torch.device("meta"):
        return zoo.parameter_count(zoo.build(net, **dict(shape)))
