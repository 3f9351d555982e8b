"""Which filters a user chose, and whether a network has them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from convscope.base.errors import UserError
from convscope.base.paths import PARAMS

# a tracker resolves a choice and never imports torch; what has a module has imported it
if TYPE_CHECKING:
    from torch import nn

# filter numbers, from 0, by convolution: {"conv1": [0, 1]}
Chosen = Mapping[str, Sequence[int]]
# or a number: the first so many filters of each convolution
Choice: TypeAlias = int | Chosen


def resolve(
    choice: Choice, convolutions: int | None, known: Mapping[str, int]
) -> dict[str, list[int]]:
    """The chosen filters by their numbers.

    Args:
        choice: The filters themselves, or how many of each convolution, from its first on; of one
            that has fewer, all.
        convolutions: To how many convolutions, from the first on, a number applies; None, or more
            than there are: to all.
        known: How many filters each convolution of the network has, by its name.

    Raises:
        ValueError: The network has no such convolution, or the convolution no such filter.
    """
    if isinstance(choice, int):
        first = list(known.items())[:convolutions]
        return {layer: list(range(min(choice, width))) for layer, width in first}
    for layer, numbers in choice.items():
        if layer not in known:
            raise ValueError(f"the network has no {layer!r}: choose from {', '.join(known)}")
        last = known[layer] - 1
        for number in numbers:
            if not 0 <= number <= last:
                raise ValueError(f"{layer} has no filter {number}: choose from 0 to {last}")
    return {layer: list(numbers) for layer, numbers in choice.items()}


def check(module: "nn.Module", chosen: Chosen) -> None:
    """See that a network has the chosen filters.

    Raises:
        ValueError: The network has no such convolution, or the convolution no such filter.
    """
    resolve(chosen, None, _widths(module))


def need(
    module: "nn.Module", choice: Choice, convolutions: int | None, key: str
) -> dict[str, list[int]]:
    """``resolve`` for a built network and the filters under a key of params.yaml.

    Raises:
        UserError: The network has no such convolution or filter.
    """
    try:
        return resolve(choice, convolutions, _widths(module))
    except ValueError as error:
        raise UserError(f"{PARAMS}: {key}: {error}") from None


def _widths(module: "nn.Module") -> dict[str, int]:
    """How many filters each convolution of a built network has."""
    from convscope.nets.receptive_field import conv_layers

    return {
        name: len(module.get_submodule(name).get_parameter("weight"))
        for name in conv_layers(module)
    }
