"""The epochs, widths and other settings of a grid that are not the study's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convscope.study.published.study import study


@dataclass(frozen=True)
class Setting:
    """A setting, by its key in params.yaml, whose sorted values are not the study's.

    ``ours`` is empty where the values are not known.
    """

    key: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]


def differing(name: str, params: Mapping[str, Any]) -> list[Setting] | None:
    """What of a network's grid, by its stage's params.json, is not as in the study.

    Returns:
        None for a network that the study does not have.
    """
    if name not in study():
        return None
    block = study()[name]
    theirs = {"epochs": block["epochs"], **_strengths(block), **block["grid"]}
    train = params.get("train", {})
    held_out = train.get("validation_fraction") if train.get("select_on") == "validation" else 0
    net = params.get("net", {})
    ours = {**net, **_strengths(net), "validation_fraction": held_out}
    settings = [
        Setting(key, _values(ours.get(key)), _values(value))
        for key, value in {**theirs, "validation_fraction": 0}.items()
    ]
    return [setting for setting in settings if setting.ours != setting.theirs]


def _strengths(block: Mapping[str, Any]) -> dict[str, Any]:
    """How images are augmented, by the keys of params.yaml."""
    return {f"augment.{key}": value for key, value in block.get("augment", {}).items()}


def _values(values: Any) -> tuple[float, ...]:
    listed = values if isinstance(values, list) else [values]
    return tuple(sorted(value for value in listed if isinstance(value, int | float)))
