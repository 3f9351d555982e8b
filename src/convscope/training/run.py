"""What a training run is: its point, its settings, its seed and its fingerprint."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import Any

import torch

from convscope.base.kernels import PORTABLE
from convscope.base.names import SHAPE_AXES
from convscope.data.augment import Augmentation
from convscope.nets import trained, zoo
from convscope.training import code_hash

# what a run's numbers come from
_ROOTS = ("convscope.training.trainer:train", "convscope.training.run:Run.seed")
# these carry bytes and texts, never a number of a run; of the layer lists its identity has its own,
# so that another network may be added
_NO_NUMBERS = {
    "convscope.base.errors",
    "convscope.base.files",
    "convscope.base.machine",
    "convscope.base.tensors",
    "convscope.nets.zoo.layers",
    "convscope.training.checkpoints",
}


@dataclass(frozen=True)
class Settings:
    """What the runs of a grid share; the meanings are those of params.yaml."""

    epochs: int
    augment: Augmentation
    select_on: str = "test"
    validation_fraction: float = 0.1
    precision: str = "fp32"
    threads: int = 1
    kernels: str = PORTABLE

    def effective(self) -> dict[str, Any]:
        """The settings that change this result: nothing is held out where the test set selects."""
        settings = asdict(self)
        if self.select_on == "test":
            del settings["validation_fraction"]
        return settings


@dataclass(frozen=True)
class Run:
    """A point of a grid, ready to be trained.

    Attributes:
        net: A key of ``zoo.NETS``.
        point: lr, batch_size, momentum, the shape keys of the network, and seed.
        settings: What it shares with the other runs.
        data: The data set's fingerprint.
    """

    net: str
    point: dict[str, float]
    settings: Settings
    data: str

    @property
    def id(self) -> str:
        """The point as a folder's name; the same whatever else is in the grid."""
        names = {"filter_multiplier": "m", "kernel_size": "k", "stride": "s", "dropout_rate": "d"}
        names |= {"batch_size": "b", "momentum": "mom"}
        return "-".join(
            names.get(key, key) + repr(self.point[key]).removesuffix(".0")
            for key in (*SHAPE_AXES, "lr", "batch_size", "momentum", "seed")
        )

    @property
    def seed(self) -> int:
        """The run's own seed, from (seed, net, point)."""
        return derived_seed(self.net, self.point)

    @cached_property  # which travels with the run: to read the code takes a training process longer
    def identity(self) -> dict[str, str]:
        """What else the result depends on: hashes of data, code and layer list, torch's version.

        Raises:
            ValueError: The network or a key of the point is unknown, or no network has this shape.
        """
        layers = repr(zoo.layers(self.net, **self.point))
        return {
            "data": self.data,
            "code": code(),
            "layers": hashlib.sha256(layers.encode()).hexdigest(),
            "torch": torch.__version__,
        }

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that the run's result depends on, but for the kind of processor.

        With portable kernels that changes nothing.
        """
        return trained.fingerprint(self.net, self.point, self.settings.effective(), self.identity)


@cache
def code() -> str:
    """A hash of the code that a run's numbers come from."""
    return code_hash.code_hash(_ROOTS, _NO_NUMBERS)


def derived_seed(*parts: Any) -> int:
    """A seed, 0 to 2**56 - 1, from anything that JSON can hold."""
    text = json.dumps(parts, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
