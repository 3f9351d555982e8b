import pytest
import torch
from torch import nn

from convscope.data import augment
from convscope.training.sgd import Sgd
from convscope.training.step import Step
from tests import toys


class Half(nn.Module):
    """Logits (a * red, a * blue) of the image's mean red and blue; a is 1 at first."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return self.a * images.mean((2, 3))[:, [0, 2]]


def step(module, images, labels, lr=0.5, bf16=False):
    return Step(module, Sgd(module, lr, momentum=0), images, labels, bf16)


def plain(*colors):
    """Images of one color each, (N, 3, 32, 32) uint8."""
    return torch.tensor(colors, dtype=torch.uint8)[:, :, None, None].expand(-1, -1, 32, 32)


def test_a_step_goes_down_the_gradient_and_adds_up():
    """One red image: logits (1, 0), so the loss is ln(1 + 1/e) and its slope -1 / (1 + e)."""
    module, e = Half(), torch.e
    taken = step(module, plain((255, 0, 0), (0, 0, 255)), torch.tensor([0, 0]))
    taken(torch.tensor([0]))
    assert module.a.item() == pytest.approx(1 + 0.5 / (1 + e))
    assert taken.loss.item() == pytest.approx(torch.tensor(1 + 1 / e).log().item())
    assert taken.correct.item() == 1
    taken(torch.tensor([1]))  # a blue one, said to be red
    assert taken.correct.item() == 1
    taken.reset()
    assert (taken.loss.item(), taken.correct.item()) == (0, 0)


def test_the_loss_is_a_sum_over_images():
    images, labels = plain((255, 0, 0), (255, 0, 0), (0, 0, 255)), torch.tensor([0, 0, 1])
    whole, parts = (step(Half(), images, labels, lr=0.0) for _ in range(2))
    whole(torch.arange(3))
    for index in ([0, 1], [2]):
        parts(torch.tensor(index))
    assert whole.loss.item() == pytest.approx(parts.loss.item())
    assert whole.correct.item() == parts.correct.item() == 3


def test_a_batch_is_the_images_asked_for_augmented_as_drawn_as_the_network_takes_them():
    data = toys.red_or_blue()
    taken = step(Half(), data.train_images, data.train_labels)
    index = torch.tensor([7, 0, 7])
    draws = augment.draw(3, toys.AUGMENTED, torch.Generator().manual_seed(0))
    clean, labels = taken.batch(index)
    augmented, _ = taken.batch(index, *draws)
    assert torch.equal(clean, data.train_images[index] / 255)
    assert torch.equal(augmented, augment.apply(data.train_images[index], draws))
    assert torch.equal(labels, data.train_labels[index])
    for images in (clean, augmented):
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_bf16_rounds_where_autocast_does():
    data = toys.red_or_blue()
    seen = []
    for bf16 in (False, True):
        module = nn.Sequential(nn.AvgPool2d(32), nn.Flatten(), nn.Linear(3, 2))
        module.register_forward_hook(lambda *call: seen.append(call[-1].dtype))
        step(module, data.train_images, data.train_labels, bf16=bf16)(torch.arange(4))
    assert seen == [torch.float32, torch.bfloat16]
