import itertools
from collections import Counter
from dataclasses import replace

import pytest
import scipy
import torch

from convscope.data import augment
from convscope.data.augment import HUE, Augmentation
from tests.torchvision_compat import import_torchvision
from tests.toys import AUGMENTED, noise

JITTER = ("brightness", "contrast", "saturation", "hue")
ORDERS = list(itertools.permutations(range(4)))
TOLERANCE = {"rtol": 0, "atol": 4e-6}


def made_images(n=12):
    """Random images, and half of them with the darkest and brightest colors only."""
    images = noise(n)
    images[::2] = torch.where(images[::2] < 128, 0, 255).to(torch.uint8)
    return images


def seeded_draws(n, seed=0, augmentation=AUGMENTED):
    return augment.draw(n, augmentation, torch.Generator().manual_seed(seed))


UNCHANGED = seeded_draws(2, augmentation=Augmentation())


def assert_same(draws, others):
    torch.testing.assert_close(tuple(draws), tuple(others), rtol=0, atol=0)


def one_by_one(images, draws):
    """Slow reference: torchvision's operations, image after image."""
    reference, results = import_torchvision("torchvision.transforms.v2.functional"), []
    for n, image in enumerate(images):
        height, width = image.shape[1:]
        pixels = reference.pad(image / 255, [4, 4, 4, 4])
        corner = (int(draws.top[n]) + 4, int(draws.left[n]) + 4)
        pixels = reference.crop(pixels, *corner, height, width)
        if draws.flip[n]:
            pixels = reference.horizontal_flip(pixels)
        for operation in draws.order[n].tolist():
            adjust = getattr(reference, f"adjust_{JITTER[operation]}")
            pixels = adjust(pixels, float(draws.factors[n, operation]))
        results.append(pixels)
    return torch.stack(results)


@pytest.mark.parametrize("flip", [False, True])
def test_every_crop_is_torchvisions(flip):
    images = made_images(2)
    for top, left in itertools.product(range(-4, 5), repeat=2):
        draws = replace(
            UNCHANGED,
            top=torch.tensor([top, left]),
            left=torch.tensor([left, top]),
            flip=torch.tensor([flip, not flip]),
        )
        assert torch.equal(augment.apply(images, draws), one_by_one(images, draws))


@pytest.mark.parametrize("order", [*ORDERS, None])
def test_the_operations_are_torchvisions_in_every_order_and_mixed(order):
    images, draws = made_images(), seeded_draws(12, seed=5)
    if order is not None:
        draws = replace(draws, order=torch.tensor([order] * 12))
    result = augment.apply(images, draws)
    torch.testing.assert_close(result, one_by_one(images, draws), **TOLERANCE)
    assert result.dtype == torch.float32
    assert result.is_contiguous()
    assert 0 <= float(result.min()) < float(result.max()) <= 1


@pytest.mark.parametrize("name", JITTER)
def test_an_operation_of_no_strength_leaves_images_alone(name):
    images, strengths = made_images(), dict.fromkeys(JITTER, 0.4)
    draws = seeded_draws(12, augmentation=Augmentation(**{**strengths, name: 0.0}))
    assert draws.order.shape == draws.factors.shape == (12, 3 if name == "hue" else 4)
    result = augment.apply(images, draws)
    torch.testing.assert_close(result, one_by_one(images, draws), **TOLERANCE)
    if name != "hue":
        assert torch.equal(draws.factors[:, JITTER.index(name)], torch.ones(12))


def test_no_strength_at_all_draws_no_jitter():
    images, draws = made_images(), seeded_draws(12, augmentation=Augmentation())
    assert draws.order.shape == draws.factors.shape == (12, 0)
    assert torch.equal(augment.apply(images, draws), images / 255)
    assert not Augmentation().changes
    assert all(Augmentation(**{key: 0.5}).changes for key in (*JITTER, "padding", "flip"))


@pytest.mark.parametrize("size", [1, 2, 7, 33])
def test_an_image_does_not_depend_on_its_batch(size):
    images, draws = made_images(66), seeded_draws(66)
    parts = [slice(start, start + size) for start in range(0, len(images), size)]
    applied = torch.cat([augment.apply(images[part], draws[part]) for part in parts])
    assert torch.equal(applied, augment.apply(images, draws))


def test_the_memory_format_changes_nothing_and_the_arguments_are_not_changed():
    images, draws = made_images(), seeded_draws(12)
    expected = augment.apply(images, draws)
    interleaved = images.to(memory_format=torch.channels_last)
    for same in (images, interleaved, images.repeat_interleave(2, 0)[::2]):
        assert torch.equal(augment.apply(same, draws), expected)
    assert torch.equal(images, made_images())
    assert_same(draws, seeded_draws(12))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
def test_a_gpu_gives_the_same_images():
    images, draws = made_images(), seeded_draws(12)
    result = augment.apply(images.cuda(), draws.to("cuda")).cpu()
    torch.testing.assert_close(result, augment.apply(images, draws), **TOLERANCE)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 32, 32), "float32, not"),
        (torch.zeros(2, 1, 32, 32, dtype=torch.uint8), "not .B, 3, H, W. uint8"),
        (torch.zeros(3, 32, 32, dtype=torch.uint8), "not .B, 3, H, W. uint8"),
        (torch.zeros(3, 3, 32, 32, dtype=torch.uint8), "3 images, but draws for 2"),
    ],
)
def test_unfit_arguments_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        augment.apply(images, UNCHANGED)


def test_a_seed_determines_the_draws_and_global_randomness_does_not():
    before = torch.get_rng_state()
    draws = seeded_draws(50)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    assert_same(draws, seeded_draws(50))
    assert not torch.equal(draws.factors, seeded_draws(50, seed=1).factors)


def test_draws_are_indexed_by_image():
    draws = seeded_draws(5)
    assert len(draws[1:3]) == 2
    assert_same(draws[1:3], draws[torch.tensor([1, 2])])
    assert_same(draws[1:3], [values[1:3] for values in draws])
    assert_same(draws.to("cpu"), draws)


def test_offsets_flips_and_orders_are_uniform():
    draws = seeded_draws(81 * 200)
    counted = {
        81: Counter(zip(draws.top.tolist(), draws.left.tolist(), strict=True)),
        2: Counter(draws.flip.tolist()),
        24: Counter(map(tuple, draws.order.tolist())),
    }
    assert set(counted[81]) == set(itertools.product(range(-4, 5), repeat=2))
    assert set(counted[24]) == set(ORDERS)
    for kinds, counts in counted.items():
        assert len(counts) == kinds
        assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.001


def test_a_flip_has_the_probability_asked_for():
    flips = seeded_draws(20_000, augmentation=Augmentation(flip=0.1)).flip
    assert abs(int(flips.sum()) - 2000) < 200
    assert not seeded_draws(1000, augmentation=Augmentation(padding=1)).flip.any()


def test_factors_are_uniform_and_independent():
    draws = seeded_draws(20_000)
    turns = draws.factors[:, HUE]
    assert scipy.stats.kstest(turns.numpy(), scipy.stats.uniform(-0.1, 0.2).cdf).pvalue > 0.001
    for column in draws.factors[:, :HUE].T:
        assert 0.5 <= float(column.min()) < 0.501
        assert 1.499 < float(column.max()) <= 1.5
        assert scipy.stats.kstest(column.numpy(), scipy.stats.uniform(0.5, 1).cdf).pvalue > 0.001
    drawn = torch.column_stack(
        (draws.factors, draws.top, draws.left, draws.flip, draws.order[:, 0])
    )
    correlations = torch.corrcoef(drawn.T) - torch.eye(drawn.shape[1])
    assert float(correlations.abs().max()) < 0.03
