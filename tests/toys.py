"""Small data sets and runs that several test files use."""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal
from torch import nn

from convscope.base import kernels
from convscope.base.errors import UserError
from convscope.data.augment import Augmentation
from convscope.data.datasets import DataSet
from convscope.evaluation.history_tables import MEASURED
from convscope.training.run import Run, Settings

POINT = {
    "lr": 0.02,
    "batch_size": 16,
    "momentum": 0.9,
    "l1_oc": 4,
    "filter_multiplier": 2.0,
    "kernel_size": 3,
    "stride": 1,
    "dropout_rate": 0.0,
    "seed": 0,
}
# as the study augments, and hue
AUGMENTED = Augmentation(padding=4, flip=0.5, brightness=0.5, contrast=0.5, saturation=0.5, hue=0.1)
# the columns of a model folder's history.csv
HISTORY = ("run", "epoch", *MEASURED, "total_parameters", *POINT)


class Gadget:
    """Unpickled as code that a stranger chose."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def red_or_blue(train: int = 40, test: int = 20) -> DataSet:
    """Noise whose color tells its class: any network learns it in a few epochs."""
    generator = torch.Generator().manual_seed(0)
    parts = []
    for count in (train, test):
        labels = torch.arange(count) % 2
        pixels = torch.randint(0, 100, (count, 3, 32, 32), generator=generator)
        pixels[torch.arange(count), labels * 2] += 150
        parts += [pixels.to(torch.uint8), labels]
    return DataSet(*parts, classes=("red", "blue"), groups={}, url="toy", md5="")


def noise(count: int, size: int = 32, seed: int = 0) -> torch.Tensor:
    """Images of random bytes, (count, 3, size, size)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def sure_of(*predictions: int, classes: int = 3) -> torch.Tensor:
    """Logits that say these classes."""
    return torch.nn.functional.one_hot(torch.tensor(predictions), classes).float()


def weighted(layer: Any, weight: Any, bias: Any = None) -> Any:
    """The layer with these parameters, in any shape that has as many of them."""
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(weight).view_as(layer.weight))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


@contextmanager
def left_alone(module: nn.Module) -> Iterator[None]:
    """Check that a network's values and modes are the same after a block as before it."""
    before = copy.deepcopy(module)
    yield
    torch.testing.assert_close(module.state_dict(), before.state_dict(), rtol=0, atol=0)
    modes = [[part.training for part in each.modules()] for each in (module, before)]
    assert modes[0] == modes[1]


def refusal(read: Callable[..., object], *arguments: object) -> str:
    """The line with which arguments are refused."""
    with pytest.raises(UserError) as refused:
        read(*arguments)
    message = str(refused.value)
    assert "\n" not in message
    return message


def run(net: str = "net1", epochs: int = 2, data: str = "", **changes: object) -> Run:
    """A run of a small network on the toy images; ``changes`` go to its settings or its point."""
    data = data or red_or_blue().fingerprint
    settings = {"augment": AUGMENTED if net in ("net3", "net4") else Augmentation()}
    settings["kernels"] = kernels.held()
    point = dict(POINT)
    for key, value in changes.items():
        (point if key in point else settings)[key] = value
    return Run(net, point, Settings(epochs=epochs, **settings), data)


def drops(**by_layer: Iterable[float]) -> pd.DataFrame:
    """Filters with these drops, in points of 100 images, of which none is gained and lost."""
    rows = [
        (layer, index, float(drop), max(drop, 0), max(-drop, 0), 1.0)
        for layer, values in by_layer.items()
        for index, drop in enumerate(values)
    ]
    names = ["layer", "filter", "drop_percent", "lost", "gained", "adjusted_p_value"]
    return pd.DataFrame(rows, columns=names)


def table(text: str) -> pd.DataFrame:
    """A table written as it is read: a line of names, then a line a row."""
    return pd.read_csv(StringIO(text), sep=r"\s+")


def assert_table(found: pd.DataFrame, expected: str) -> None:
    """Check a table against one as ``table`` reads it."""
    assert_frame_equal(found, table(expected))
