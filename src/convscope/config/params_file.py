"""Read and check params.yaml; nothing else reads it."""

import math
import reprlib
from functools import cache
from pathlib import Path
from typing import Literal, Self, TypeVar

import torch
from pydantic import Field, ValidationError, model_validator

from convscope.base import inputs
from convscope.base.errors import UserError
from convscope.base.kernels import PORTABLE
from convscope.base.names import AXES, SHAPE_AXES
from convscope.base.paths import PARAMS
from convscope.config import content, schema
from convscope.config.schema import Grid, Network, Section
from convscope.nets import zoo

MAX_RUNS = 10_000
MAX_PARAMETERS = 200_000_000
# pydantic's own messages for these are about Python, not about YAML
_MESSAGES = {
    "extra_forbidden": "is unknown: remove it or correct its name",
    "missing": "is missing: add it",
    "tuple_type": "must be a list, in brackets",
    "too_short": "is empty: list at least one value",
}

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

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.kernels == PORTABLE and self.train and self.train.precision == "bf16":
            raise ValueError(
                "train.precision is bf16, which not every processor computes in: set kernels to "
                "native, or precision to fp32"
            )
        seeds = len(self.train.seeds) if self.train else 1
        for net, grid in self.nets.items():
            _check_grid(net, grid, seeds)
        return self


def _check_grid(net: str, grid: Grid, seeds: int) -> None:
    """Refuse a grid with a point whose network cannot be built, before any work."""
    key = f"nets.{net}"
    runs = seeds * math.prod(len(getattr(grid, axis)) for axis in AXES)
    if runs > MAX_RUNS:
        raise ValueError(f"{key} has {runs:,} runs, seeds counted; a grid may have {MAX_RUNS:,}")
    shapes = {tuple((axis, point[axis]) for axis in SHAPE_AXES) for point in grid.points()}
    for shape in sorted(shapes):
        point = ", ".join(f"{axis}={value:g}" for axis, value in shape)
        try:
            parameters = _parameters(net, shape)
        except ValueError as error:
            raise ValueError(f"{key} has a point that cannot be built ({point}): {error}") from None
        if parameters > MAX_PARAMETERS:
            raise ValueError(
                f"{key} has a point ({point}) of {parameters:,} parameters; "
                f"a network may have {MAX_PARAMETERS:,}"
            )


@cache  # a stage reads the same grids again and again, to see that they have not changed
def _parameters(net: str, shape: tuple[tuple[str, float], ...]) -> int:
    """The parameters of a network of this shape; a ValueError if there is none."""
    with torch.device("meta"):
        return zoo.parameter_count(zoo.build(net, **dict(shape)))


def load(path: Path = PARAMS) -> Params:
    """Read and check params.yaml, of which sections may be missing; UserError if it is wrong."""
    try:
        return Params.model_validate(content.read(path))
    except ValidationError as error:
        raise UserError(f"{path}: {_first_of(error)}") from None


def _first_of(error: ValidationError) -> str:
    """The first thing that is wrong, with its key as DVC's ``-S`` writes it."""
    # a misspelt key is also a missing one: the misspelling is what the user can see
    first, *others = sorted(
        error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden"
    )
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    key = content.one_line("".join(parts).removesuffix(".[key]").lstrip("."))
    message = _MESSAGES.get(first["type"], first["msg"].removeprefix("Value error, "))
    value = "" if isinstance(first["input"], dict) else f" (it is {_short(first['input'])})"
    more = f" (and {len(others)} more)" if others else ""
    return f"{key}: {message}{value}{more}" if key else f"{message}{more}"


def _short(value: object) -> str:
    """A value on one line; of a large one, the beginning."""
    try:
        # of nested aliases, a plain repr would write every copy out
        return content.one_line(reprlib.repr(value))
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"


def need(section: S | None, key: str) -> S:
    """A section that a stage needs, as ``load`` found it; if it did not, a UserError."""
    if section is None:
        raise UserError(f"{PARAMS}: {key} is missing: add it (see conf/ for its keys)")
    inputs.note(f"{PARAMS}: {key}", section, lambda: _at(load(), key))
    return section


def _at(params: Params, key: str) -> object:
    """The section with a key as ``need`` has it, such as nets.net1."""
    name, _, net = key.partition(".")
    return params.nets.get(net) if net else getattr(params, name)
