import pytest
import torch
from torch import nn

from convscope.training.sgd import Sgd
from tests import projects

FIRST_STEP = """
import sys
import torch
from torch import nn
from convscope.training.sgd import Sgd
module = nn.Linear(1, 1)
module(torch.ones(1)).backward()
Sgd(module, 0.1, 0.9).step()
print(*sys.modules)
"""


def test_momentum_adds_up_the_gradients():
    """The loss is the weight itself, so that every gradient is 1; steps of 0.1 (1, 1.5, 1.75)."""
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    optimizer = Sgd(module, lr=0.1, momentum=0.5)
    assert optimizer.momenta == {}
    for weight, momentum in ((-0.1, 1), (-0.25, 1.5), (-0.425, 1.75)):
        module.zero_grad()
        module(torch.ones(1)).backward()
        optimizer.step()
        assert module.weight.item() == pytest.approx(weight)
        assert optimizer.momenta["weight"].item() == pytest.approx(momentum)


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_it_is_torchs_own_to_the_bit(momentum):
    def steps(made):
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2)
        )
        optimizer = made(module)
        for images in torch.rand(5, 6, 3, 4, 4):
            module.zero_grad()
            module(images).logsumexp(1).sum().backward()
            optimizer.step()
        return module, optimizer

    module, ours = steps(lambda module: Sgd(module, 0.02, momentum))
    other, theirs = steps(
        lambda module: torch.optim.SGD(module.parameters(), 0.02, momentum, fused=True)
    )
    for name, parameter in other.named_parameters():
        assert torch.equal(module.get_parameter(name), parameter)
        if momentum:
            assert torch.equal(ours.momenta[name], theirs.state[parameter]["momentum_buffer"])
    assert bool(ours.momenta) == bool(momentum)


def test_its_first_step_imports_no_compiler():
    imported = projects.python("-c", FIRST_STEP)
    assert imported.returncode == 0, imported.stderr
    assert {"torch._dynamo", "sympy"}.isdisjoint(imported.stdout.split())
