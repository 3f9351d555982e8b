"""Read and check params.yaml, from which alone stages take their parameters."""

from pathlib import Path
from typing import Literal, Self, TypeVar

import torch
from pydantic import Field, ValidationError, model_validator

from convscope.base import inputs
from convscope.base.errors import UserError
from convscope.base.kernels import PORTABLE
from convscope.base.paths import PARAMS
from convscope.config import checks, content, messages, schema
from convscope.config.schema import Grid, Network, Section

S = TypeVar("S")


class Params(Section):
    """params.yaml. A section is None when the file given does not have it.

    Attributes:
        kernels: By which instructions all stages compute; see ``base.kernels``.
    """

    kernels: Literal["portable", "native"] | None = None
    data: schema.Data | None = None
    train: schema.Train | None = None
    nets: dict[Network, Grid] = Field(default_factory=dict)
    evaluate: schema.Evaluate | None = None
    analysis: schema.Analysis | None = None
    occlusion: schema.Occlusion | None = None
    filter_ablation: schema.FilterAblation | None = None
    filter_identify: schema.FilterIdentify | None = None
    explore: schema.Explore | None = None

    def seeds(self, net: str) -> tuple[int, ...]:
        """The seeds of a network's grid: its own, or those of all."""
        own = self.nets[net].seeds if net in self.nets else None
        return own or (self.train.seeds if self.train else (0,))

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.kernels == PORTABLE and self.train and self.train.precision == "bf16":
            raise ValueError(
                "train.precision is bf16, which not every processor computes in: set kernels to "
                "native, or precision to fp32"
            )
        for net, grid in self.nets.items():
            checks.grid(net, grid, len(self.seeds(net)))
        if self.data:
            checks.images(self.data)
        if self.data and self.train:
            checks.batches(self.nets, self.train, self.data)
        self._analysis_fitting()
        return self

    def _analysis_fitting(self) -> None:
        if not (self.analysis and self.nets):
            return
        if (net := self.analysis.net) not in self.nets:
            raise ValueError(
                f"analysis.net: {net} has no grid: choose from {', '.join(self.nets)}, or add "
                f"nets.{net}"
            )
        for key in ("filter_ablation", "filter_identify"):
            if section := getattr(self, key):
                checks.filters(key, section, net, self.nets[net])


def load(path: Path = PARAMS) -> Params:
    """Read and check params.yaml, of which sections may be missing; UserError if it is wrong."""
    try:
        return Params.model_validate(content.read(path))
    except ValidationError as error:
        raise UserError(f"{path}: {messages.first_of(error, Params)}") from None


def require_images(params: Params, labels: torch.Tensor) -> None:
    """See that all grids fit the training images with these labels, (N,) int64.

    Raises:
        UserError: A batch is larger than what there is to train on, or a last one too small for
            batch normalization, or nothing can be held out.
    """
    if params.train is None:
        return
    try:
        checks.labels(params.nets, params.train, labels)
    except ValueError as error:
        raise UserError(f"{PARAMS}: {error}") from None


def need(section: S | None, key: str) -> S:
    """A section that a stage needs, as ``load`` found it; if it did not, a UserError."""
    if section is None:
        raise UserError(
            f"{PARAMS}: {key} is missing: add it as conf/ has it (`dvc exp run` composes the file "
            "from there)"
        )
    inputs.note(f"{PARAMS}: {key}", section, lambda: _at(load(), key))
    return section


def _at(params: Params, key: str) -> object:
    """The section with a key as ``need`` has it, such as nets.net1."""
    name, _, net = key.partition(".")
    return params.nets.get(net) if net else getattr(params, name)
