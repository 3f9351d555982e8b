"""The epochs, widths and other settings of a grid that are not the study's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convscope.study.published.study import study


@dataclass(frozen=True)
class Setting:
    """A setting that is not as in the study.

    Attributes:
        key: Its key in params.yaml.
        ours: Its values here, sorted; empty if they are not known.
        theirs: The study's, sorted.
    """

    key: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]


def differing(name: str, params: Mapping[str, Any]) -> list[Setting] | None:
    """What of a network's grid is not as in the study.

    Args:
        name: The network.
        params: What its stage used, as in its params.json: ``train`` and ``net``.

    Returns:
        Nothing where all is the same; None for a network that the study does not have.
    """
    if name not in study():
        return None
    block = study()[name]
    theirs = {"epochs": block["epochs"], "augment": block["augment"], **block["grid"]}
    train = params.get("train", {})
    held_out = train.get("validation_fraction") if train.get("select_on") == "validation" else 0
    ours = {**params.get("net", {}), "validation_fraction": held_out}
    settings = [
        Setting(key, _values(ours.get(key)), _values(value))
        for key, value in {**theirs, "validation_fraction": 0}.items()
    ]
    return [setting for setting in settings if setting.ours != setting.theirs]


def _values(values: Any) -> tuple[float, ...]:
    """One value or several, in ascending order."""
    listed = values if isinstance(values, list) else [values]
    return tuple(sorted(value for value in listed if isinstance(value, int | float)))
