import pytest
import torch
from torch import nn

from convscope.base import metrics
from convscope.data import augment
from convscope.evaluation import protocols
from convscope.evaluation.protocols import AUGMENTED, CLEAN, STUDY
from convscope.nets import inference, study_mode
from tests import toys
from tests.toys import left_alone, noise, weighted


def accuracies(module, images, labels, seed):
    clean = inference.logits(module, images)
    batches = list(study_mode.augmented(images, toys.AUGMENTED, seed))
    return protocols.accuracies(module, batches, labels, clean, seed)


def black(count):
    """Images that every augmentation leaves as they are."""
    return torch.zeros(count, 3, 32, 32, dtype=torch.uint8)


def first_class(count):
    return torch.zeros(count, dtype=torch.int64)


@pytest.fixture
def linear():
    """Weights whose mean is zero, so that noise is of all classes."""
    weight = torch.randn(10, 3072, generator=torch.Generator().manual_seed(0))
    linear = nn.Linear(3072, 10, bias=False)
    return nn.Sequential(nn.Flatten(), weighted(linear, weight - weight.mean(1, keepdim=True)))


@pytest.fixture
def by_statistics():
    """Logits (x, 0.5) for a black image: x is 1 by running and 0 by the batch's statistics."""
    norm, linear = nn.BatchNorm2d(3), weighted(nn.Linear(3, 2), [1, 0, 0, 0, 0, 0], [0, 0.5])
    norm.running_mean.fill_(-1)
    return nn.Sequential(norm, nn.AvgPool2d(32), nn.Flatten(), linear)


@pytest.fixture
def by_dropout():
    """Logits (x, 0.5): x is 1 for every image without dropout, and 0 or 2 with it."""
    first = weighted(nn.Linear(3, 1), [0, 0, 0], [1])
    second = weighted(nn.Linear(1, 2), [1, 0], [0, 0.5])
    return nn.Sequential(nn.AvgPool2d(32), nn.Flatten(), first, nn.Dropout(0.5), second)


def test_clean_is_plain_evaluation(linear):
    images = noise(16)
    outputs = inference.logits(linear, images)
    labels = outputs.argmax(1)
    labels[:6] = (labels[:6] + 1) % 10
    assert metrics.accuracy(outputs, labels) == 0.625
    found = accuracies(linear, images, labels, seed=0)
    assert list(found) == [CLEAN, AUGMENTED, STUDY]
    assert found[CLEAN] == 0.625


def test_augmented_images_are_those_that_the_seed_draws(linear):
    """The slow, obvious reference: one image at a time."""
    images = noise(16)
    draws = augment.draw(16, toys.AUGMENTED, torch.Generator().manual_seed(5))
    parts = [slice(i, i + 1) for i in range(16)]
    outputs = [inference.logits(linear, augment.apply(images[i], draws[i])) for i in parts]
    labels = torch.cat(outputs).argmax(1)
    assert len(labels.unique()) > 3
    found = accuracies(linear, images, labels, seed=5)
    assert found[AUGMENTED] == found[STUDY] == 1.0  # nothing in it has a training mode
    assert found[CLEAN] < 1.0
    assert accuracies(linear, images, labels, seed=6)[AUGMENTED] < 1.0


@pytest.mark.parametrize("training", [True, False])
def test_the_study_s_protocol_uses_the_statistics_of_the_batch(by_statistics, training):
    with left_alone(by_statistics.train(training)):
        found = accuracies(by_statistics, black(5), first_class(5), seed=0)
    assert found == {CLEAN: 1.0, AUGMENTED: 1.0, STUDY: 0.0}


def test_the_study_s_protocol_drops_what_its_seed_draws(by_dropout):
    labels = first_class(300)

    def kept(seed):
        torch.manual_seed(seed)
        batches = [nn.functional.dropout(torch.ones(size, 1), 0.5) for size in (256, 44)]
        return torch.cat(batches).gt(0).double().mean().item()

    for seed in (3, 4):
        found = accuracies(by_dropout.eval(), black(300), labels, seed)
        assert found == {CLEAN: 1.0, AUGMENTED: 1.0, STUDY: kept(seed)}
    assert kept(3) != kept(4)


def test_the_seed_alone_decides_and_the_global_state_stays(by_dropout):
    images, labels = noise(200), first_class(200)
    first = accuracies(by_dropout, images, labels, seed=0)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert accuracies(by_dropout, images, labels, seed=0) == first
    assert torch.equal(torch.get_rng_state(), state)
