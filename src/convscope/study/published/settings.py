"""The epochs, widths and other settings of a grid, and the images, that are not the study's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convscope.study.published.study import study

IMAGES = {"train_images": 50_000, "test_images": 10_000}  # all of CIFAR-10


@dataclass(frozen=True)
class Setting:
    """A setting, by its key in params.yaml, whose sorted values are not the study's.

    ``ours`` is empty where the values are not known.
    """

    key: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]


def differing(name: str, params: Mapping[str, Any]) -> list[Setting] | None:
    """What of a network's grid and images is not as in the study.

    Args:
        name: The network's.
        params: The params.json of its stage, and ``data`` of the stage download's.

    Returns:
        None for a network that the study does not have.
    """
    if name not in study():
        return None
    block = study()[name]
    theirs = {"epochs": block["epochs"], **_strengths(block), **block["grid"]}
    theirs |= {"validation_fraction": 0}
    train = params.get("train", {})
    held_out = train.get("validation_fraction") if train.get("select_on") == "validation" else 0
    net = params.get("net", {})
    ours = {**net, **_strengths(net), "validation_fraction": held_out}
    settings = [
        Setting(key, _values(ours.get(key)), _values(value)) for key, value in theirs.items()
    ]
    return [each for each in settings if each.ours != each.theirs] + fewer_images(params)


def fewer_images(params: Mapping[str, Any]) -> list[Setting]:
    """The parts of CIFAR-10 of which not all images were taken, by the download's params.json."""
    taken = params.get("data", {})
    return [
        Setting(f"data.{part}", (taken[part],), (every,))
        for part, every in IMAGES.items()
        if (taken.get(part) or every) != every
    ]


def _strengths(block: Mapping[str, Any]) -> dict[str, Any]:
    """How images are augmented, by the keys of params.yaml."""
    return {f"augment.{key}": value for key, value in block.get("augment", {}).items()}


def _values(values: Any) -> tuple[float, ...]:
    listed = values if isinstance(values, list) else [values]
    return tuple(sorted(value for value in listed if isinstance(value, int | float)))
