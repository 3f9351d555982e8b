"""See that a network has the filters that a user selected."""

from collections.abc import Mapping, Sequence

from torch import nn

from convscope.base.errors import UserError
from convscope.base.paths import PARAMS
from convscope.nets.receptive_field import conv_layers

# filter numbers, from 0, by convolution: {"conv1": [0, 1]}
Chosen = Mapping[str, Sequence[int]]


def check(module: nn.Module, chosen: Chosen) -> None:
    """See that a network has the selected filters.

    Raises:
        ValueError: The network has no such convolution, or the convolution no such filter.
    """
    known = conv_layers(module)
    for layer, numbers in chosen.items():
        if layer not in known:
            raise ValueError(f"the network has no {layer!r}: choose from {', '.join(known)}")
        last = len(module.get_submodule(layer).get_parameter("weight")) - 1
        for number in numbers:
            if not 0 <= number <= last:
                raise ValueError(f"{layer} has no filter {number}: choose from 0 to {last}")


def need(module: nn.Module, chosen: Chosen, key: str) -> None:
    """``check`` for the filters under a key of params.yaml.

    Raises:
        UserError: The network has no such convolution or filter.
    """
    try:
        check(module, chosen)
    except ValueError as error:
        raise UserError(f"{PARAMS}: {key}: {error}") from None
