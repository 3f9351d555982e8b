from dataclasses import replace

import pytest
import torch
from torch import nn

from convscope.data import augment
from convscope.evaluation import departures
from convscope.evaluation.departures import SATURATION, STATISTICS
from convscope.nets import inference, study_mode
from tests import toys
from tests.toys import left_alone, noise, weighted


def normed():
    """Logits (x, 0): x is the mean of the normalized red values."""
    linear = weighted(nn.Linear(3, 2), [1, 0, 0, 0, 0, 0], [0, 0])
    return nn.Sequential(nn.BatchNorm2d(3), nn.AvgPool2d(32), nn.Flatten(), linear).eval()


def accuracies(module, images, augmentation, seed=0):
    labels = torch.zeros(len(images), dtype=torch.int64)
    batches = study_mode.augmented(images, augmentation, seed)
    here = (0.25, 0.75)
    return departures.accuracies(module, images, labels, augmentation, batches, here, seed)


def test_each_batch_moves_the_statistics_by_a_twentieth_to_its_own():
    batches = [torch.full((4, 3, 32, 32), value) for value in (1.0, 0.5)]
    module = normed()
    with left_alone(module):
        norm = departures.moved_statistics(module, batches)[0]
    assert norm.running_mean.tolist() == pytest.approx([0.95 * 0.05 * 1 + 0.05 * 0.5] * 3)
    # no batch has any variance
    assert norm.running_var.tolist() == pytest.approx([0.95**2] * 3)
    assert not norm.training


def test_moved_statistics_do_not_hang_on_dropout():
    batches = [torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(i)) for i in (0, 1)]
    dropping = nn.Sequential(nn.Dropout(0.9), *normed())
    found = departures.moved_statistics(dropping, batches)[1].running_mean
    assert torch.equal(found, departures.moved_statistics(normed(), batches)[0].running_mean)


def test_the_accuracy_with_a_habit_is_that_of_a_network_which_has_it():
    module, images = normed(), noise(40)
    with torch.no_grad():
        module[0].running_mean.fill_(0.01)
    with left_alone(module):
        found = accuracies(module, images, toys.AUGMENTED)
    assert {habit: without for habit, (without, _) in found.items()} == {
        SATURATION: 0.25,
        STATISTICS: 0.75,
    }
    batches = list(study_mode.augmented(images, toys.AUGMENTED, 0))
    moved = departures.moved_statistics(module, batches)
    outputs = inference.logits(moved, images)
    assert found[STATISTICS][1] == (outputs.argmax(1) == 0).double().mean().item()
    gray = replace(toys.AUGMENTED, saturation=0.0)
    draws = augment.draw(40, gray, torch.Generator().manual_seed(0))
    outputs = study_mode.logits(module, [augment.apply(images, draws)], 0)
    assert found[SATURATION][1] == (outputs.argmax(1) == 0).double().mean().item()


def test_habits_that_cannot_matter_are_left_out():
    images = noise(4)
    pale = replace(toys.AUGMENTED, saturation=0.0)
    assert list(accuracies(normed(), images, pale)) == [STATISTICS]
    plain = normed()[1:]
    assert list(accuracies(plain, images, toys.AUGMENTED)) == [SATURATION]


def test_a_trained_study_s_statistics_are_mostly_of_test_images():
    """What the report says of the study: 10,000 images in batches of 256."""
    batches = -(-10_000 // study_mode.BATCH_SIZE)
    assert batches == 40
    assert round(100 * (1 - (1 - departures.MOMENTUM) ** batches)) == 87
