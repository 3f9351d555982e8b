"""Stochastic gradient descent with momentum, by torch's fused kernel, ready at once.

``torch.optim.SGD`` calls the same function. But its first object imports torch's compiler, which
nothing here uses, for three quarters of the time that torch itself takes.
"""

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Sgd:
    """Steps down the gradients of a module's parameters.

    Attributes:
        momenta: By the parameter's name, its gradients summed up as momentum has it, of the
            parameter's shape; empty before the first step, and without momentum.
    """

    def __init__(self, module: nn.Module, lr: float, momentum: float) -> None:
        self._parameters = dict(module.named_parameters())
        self._lr, self._momentum = lr, momentum
        self.momenta: dict[str, Tensor] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Take a step; each parameter must have a gradient, and the next needs another."""
        momenta = [self.momenta.get(name) for name in self._parameters]
        sgd(
            [*self._parameters.values()],
            [each.grad for each in self._parameters.values() if each.grad is not None],
            momenta,
            fused=True,
            weight_decay=0,
            momentum=self._momentum,
            lr=self._lr,
            dampening=0,
            nesterov=False,
            maximize=False,
        )
        held = zip(self._parameters, momenta, strict=True)
        self.momenta = {name: each for name, each in held if each is not None}
