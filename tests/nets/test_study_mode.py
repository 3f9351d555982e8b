import pytest
import torch
from torch import nn

from convscope.data import augment
from convscope.data.augment import Augmentation
from convscope.nets import study_mode, zoo
from tests import toys
from tests.toys import left_alone, noise, weighted

# a fade that no two images share, and nothing else
FADED = Augmentation(brightness=0.5)


def of(module, images, seed=0, augmentation=FADED):
    return study_mode.logits(module, study_mode.augmented(images, augmentation, seed), seed)


def gray(*levels):
    """An image of one gray for each level."""
    return torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 32, 32)


@pytest.fixture
def norm():
    """Batch norm and the mean of its maps, by running statistics that no test here may show."""
    layer = nn.BatchNorm2d(3, eps=1e-12)
    layer.running_mean.fill_(7)
    return nn.Sequential(layer, nn.AvgPool2d(32), nn.Flatten())


def test_batch_norm_alone_takes_the_mean_and_the_deviation_of_each_batch(norm):
    # of levels 0 and 255 the mean and the deviation are the same half
    batches = [gray(0, 255, 255, 0) / 255, gray(51, 255) / 255]
    found = study_mode.logits(norm, batches, seed=0)
    expected = torch.tensor([-1.0, 1, 1, -1, -1, 1])[:, None].expand(6, 3)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("training", [True, False])
def test_the_network_its_statistics_and_the_global_state_are_left_alone(norm, training):
    torch.manual_seed(99)
    state = torch.get_rng_state()
    module = nn.Sequential(norm.train(training), nn.Dropout(0.5))
    with left_alone(module):
        of(module, noise(5))
    assert torch.equal(torch.get_rng_state(), state)


def test_images_are_those_that_the_seed_draws_whatever_the_batches():
    """The slow, obvious reference: one image at a time."""
    images = noise(300)
    draws = augment.draw(300, toys.AUGMENTED, torch.Generator().manual_seed(5))
    alone = [augment.apply(images[i : i + 1], draws[i : i + 1]) for i in range(300)]
    found = torch.cat(list(study_mode.augmented(images, toys.AUGMENTED, seed=5)))
    assert torch.equal(found, torch.cat(alone))
    other = torch.cat(list(study_mode.augmented(images, toys.AUGMENTED, seed=6)))
    assert not torch.equal(found, other)


def test_dropout_drops_what_the_seed_draws():
    first = weighted(nn.Linear(3, 1), [0, 0, 0], [1])
    module = nn.Sequential(nn.AvgPool2d(32), nn.Flatten(), first, nn.Dropout(0.5)).eval()

    def kept(seed):
        torch.manual_seed(seed)
        return torch.cat([nn.functional.dropout(torch.ones(n, 1), 0.5) for n in (256, 44)])

    for seed in (3, 4):
        assert torch.equal(of(module, noise(300), seed), kept(seed))
    assert not torch.equal(kept(3), kept(4))


@pytest.mark.parametrize(
    ("images", "sizes"), [(1, [1]), (256, [256]), (257, [257]), (258, [256, 2]), (513, [256, 257])]
)
def test_a_single_image_left_over_joins_the_last_batch(images, sizes):
    batches = study_mode.augmented(noise(images), FADED, seed=0)
    assert [len(batch) for batch in batches] == sizes


@pytest.mark.parametrize(
    ("net", "augmentation", "differs"),
    [
        ("net1", Augmentation(), False),
        ("net2", FADED, True),
        ("net3", Augmentation(), True),
    ],
)
def test_the_way_of_testing_matters_where_images_or_layers_change_by_it(net, augmentation, differs):
    module = zoo.build(net, **toys.run(net).point)
    assert study_mode.differs(module, augmentation) is differs
    if not differs:
        images = noise(3)
        outputs = study_mode.logits(module, study_mode.augmented(images, augmentation, 0), 0)
        assert torch.equal(outputs, study_mode.logits(module, [images / 255], 1))
