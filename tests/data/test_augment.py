import itertools
from collections import Counter
from dataclasses import replace

import pytest
import torch
from scipy import stats

from convscope.data import augment
from convscope.data.augment import BRIGHTNESS, CONTRAST, SATURATION, Draws
from tests.torchvision_compat import import_torchvision
from tests.toys import noise

reference = import_torchvision("torchvision.transforms.v2.functional")

ORDERS = list(itertools.permutations((BRIGHTNESS, CONTRAST, SATURATION)))
ADJUST = [getattr(reference, f"adjust_{name}") for name in ("brightness", "contrast", "saturation")]
TOLERANCE = {"rtol": 0, "atol": 1e-6}


def made_images(n=12):
    """Random images, and half of them with the darkest and brightest colors only."""
    images = noise(n)
    images[::2] = torch.where(images[::2] < 128, 0, 255).to(torch.uint8)
    return images


def identity(n):
    return Draws(
        top=torch.full((n,), 4),
        left=torch.full((n,), 4),
        flip=torch.zeros(n, dtype=torch.bool),
        order=torch.tensor([ORDERS[0]] * n),
        factors=torch.ones(n, 3),
    )


def seeded_draws(n, seed=0):
    return augment.draw(n, torch.Generator().manual_seed(seed))


def assert_same(draws, others):
    torch.testing.assert_close(tuple(draws), tuple(others), rtol=0, atol=0)


def one_by_one(images, draws):
    """Slow reference: torchvision's operations, image after image."""
    results = []
    for n, image in enumerate(images):
        height, width = image.shape[1:]
        pixels = reference.pad(image / 255, [4, 4, 4, 4])
        pixels = reference.crop(pixels, int(draws.top[n]), int(draws.left[n]), height, width)
        if draws.flip[n]:
            pixels = reference.horizontal_flip(pixels)
        for operation in draws.order[n].tolist():
            pixels = ADJUST[operation](pixels, float(draws.factors[n, operation]))
        results.append(pixels)
    return torch.stack(results)


@pytest.mark.parametrize("flip", [False, True])
def test_every_crop_is_torchvisions(flip):
    images = made_images(2)
    for top, left in itertools.product(range(9), repeat=2):
        draws = replace(
            identity(2),
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
        augment.apply(images, identity(2))


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
        6: Counter(map(tuple, draws.order.tolist())),
    }
    assert set(counted[81]) == set(itertools.product(range(9), repeat=2))
    assert set(counted[6]) == set(ORDERS)
    for kinds, counts in counted.items():
        assert len(counts) == kinds
        assert stats.chisquare(list(counts.values())).pvalue > 0.001


def test_factors_are_uniform_and_independent():
    draws = seeded_draws(20_000)
    for column in draws.factors.T:
        assert 0.5 <= float(column.min()) < 0.501
        assert 1.499 < float(column.max()) <= 1.5
        assert stats.kstest(column.numpy(), stats.uniform(0.5, 1).cdf).pvalue > 0.001
    drawn = torch.column_stack(
        (draws.factors, draws.top, draws.left, draws.flip, draws.order[:, 0])
    )
    correlations = torch.corrcoef(drawn.T) - torch.eye(drawn.shape[1])
    assert float(correlations.abs().max()) < 0.03
