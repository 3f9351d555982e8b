"""Read params.yaml; nothing else does."""

import math
import reprlib
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from pydantic import Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from convscope.base.axes import AXES, SHAPE_AXES
from convscope.base.errors import UserError
from convscope.base.paths import PARAMS
from convscope.config.schema import (
    Analysis,
    Data,
    Evaluate,
    FilterAblation,
    FilterIdentify,
    Grid,
    Occlusion,
    Section,
    Train,
)
from convscope.nets import zoo

MAX_RUNS = 10_000
MAX_PARAMETERS = 200_000_000
MAX_WORDS = 60
# what the YAML reader lets through where a tag does not fit its value: `!!bool maybe`, `!!int ""`
_BY_TAGS = (AttributeError, LookupError, TypeError, ValueError)

S = TypeVar("S", bound=Section)


class Params(Section):
    """params.yaml. A section is None when the file given does not have it."""

    data: Data | None = None
    train: Train | None = None
    nets: dict[str, Grid] = Field(default_factory=dict)
    evaluate: Evaluate | None = None
    analysis: Analysis | None = None
    occlusion: Occlusion | None = None
    filter_ablation: FilterAblation | None = None
    filter_identify: FilterIdentify | None = None

    @field_validator("nets", mode="before")
    @classmethod
    def _known(cls, grids: Any) -> Any:
        if isinstance(grids, dict) and (unknown := [net for net in grids if net not in zoo.NETS]):
            known = ", ".join(zoo.NETS)
            raise ValueError(f"{_word(unknown[0])} is no network; known: {known}")
        return grids

    @model_validator(mode="after")
    def _buildable(self) -> Self:
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
            with torch.device("meta"):
                parameters = zoo.parameter_count(zoo.build(net, **dict(shape)))
        except ValueError as error:
            raise ValueError(f"{key} has a point that cannot be built ({point}): {error}") from None
        if parameters > MAX_PARAMETERS:
            raise ValueError(
                f"{key} has a point ({point}) of {parameters:,} parameters; "
                f"a network may have {MAX_PARAMETERS:,}"
            )


def load(path: Path = PARAMS) -> Params:
    """Read and check params.yaml. Sections may be missing; nothing may be unknown or wrong.

    Args:
        path: The file.

    Raises:
        UserError: The file is missing, is no YAML, or a value is wrong; the key is named.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run convscope in the project's folder") from None
    except (YAMLError, OSError, *_BY_TAGS, RecursionError) as error:
        reason = _one_line(str(getattr(error, "problem", None) or error) or type(error).__name__)
        if mark := getattr(error, "problem_mark", None):
            reason += f" in line {mark.line + 1}"
        raise UserError(f"{path} is no readable YAML file: {reason}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no parameters: it must map sections to their keys")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """The first thing that is wrong, with its key as DVC's ``-S`` writes it."""
    # a misspelt key is also a missing one: the misspelling is what the user can see
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    # pydantic counts only a list's right items, and calls a list of wrong ones too short
    wrong = {error["loc"][:-1] for error in errors if error["loc"]}
    first, *others = [e for e in errors if not (e["type"] == "too_short" and e["loc"] in wrong)]
    parts = (f"[{part}]" if type(part) is int else f".{_word(part)}" for part in first["loc"])
    key = "".join(parts).removesuffix(".[key]").lstrip(".")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "is unknown: remove it or correct its name"
    elif first["type"] == "missing":
        message = "is missing: add it"
    elif first["type"] == "tuple_type":
        message = f"must be a list, in brackets (it is {_shortened(first['input'])})"
    elif first["type"] == "too_short":
        message = "is empty: list at least one value"
    elif not isinstance(first["input"], dict) and not message.startswith(key or "\0"):
        message = f"{message} (it is {_shortened(first['input'])})"
    more = f" (and {len(others)} more)" if others else ""
    return f"{key}: {message}{more}" if key else f"{message}{more}"


def _shortened(value: Any) -> str:
    """A value on one line; of a large one, its beginning."""
    try:
        # of nested aliases, a plain repr would write every copy out
        return _one_line(_REPR.repr(value))
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"


def _word(key: object) -> str:
    """A key as the file has it, if it is a short word."""
    return (
        key
        if isinstance(key, str) and key.isprintable() and len(key) <= MAX_WORDS
        else _shortened(key)
    )


def _one_line(text: str) -> str:
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))
    return text if len(text) <= 2 * MAX_WORDS else f"{text[: 2 * MAX_WORDS - 3]}..."


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = MAX_WORDS


def need(section: S | None, key: str, path: Path = PARAMS) -> S:
    """A section that a stage cannot do without.

    Args:
        section: What ``load`` found for it.
        key: Its name in params.yaml.
        path: The file, for the message.

    Raises:
        UserError: The section is not there.
    """
    if section is None:
        raise UserError(f"{path}: {key} is missing: add the section (see conf/ for its keys)")
    return section
