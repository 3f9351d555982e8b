"""The filters of a network that a user chose."""

from collections.abc import Mapping, Sequence

from torch import nn

from convscope.base.errors import UserError
from convscope.base.paths import PARAMS
from convscope.nets.receptive_field import conv_layers

# filter numbers, from 0, by convolution: {"conv1": [0, 1]}
Chosen = Mapping[str, Sequence[int]]


def check(module: nn.Module, chosen: Chosen) -> None:
    """See that a network has the chosen filters.

    Args:
        module: A network of ``nets.build``.
        chosen: Filter numbers by convolution.

    Raises:
        ValueError: The network has no such convolution, or the convolution no such filter.
    """
    known = conv_layers(module)
    for layer, numbers in chosen.items():
        if layer not in known:
            raise ValueError(f"the network has no {layer!r}: choose from {', '.join(known)}")
        available = len(module.get_submodule(layer).get_parameter("weight"))
        for number in numbers:
            if not 0 <= number < available:
                raise ValueError(
                    f"{layer} has no filter {number}: choose from 0 to {available - 1}"
                )


def need(module: nn.Module, chosen: Chosen, key: str) -> None:
    """``check`` for filters that params.yaml names.

    Args:
        module: As for ``check``.
        chosen: As for ``check``.
        key: Where params.yaml has them.

    Raises:
        UserError: The network has no such convolution or filter.
    """
    try:
        check(module, chosen)
    except ValueError as error:
        raise UserError(f"{PARAMS}: {key}: {error}") from None
