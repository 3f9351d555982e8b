from unittest.mock import Mock

import pytest
import torch
from torch import nn

from convscope.analysis.ablation.atlas import Atlas, atlas
from convscope.analysis.ablation.joint import ablated
from convscope.nets import receptive_field, zoo
from convscope.nets.inference import logits
from tests.toys import left_alone


def naive(module, images, labels):
    """The slow way: for each filter, zero its weights and run the whole network."""

    def right(changed):
        outputs = logits(changed, images)
        first, second = outputs.topk(2).values.T
        assert (first - second).min() > 1e-5, "a near tie: rounding would decide the count"
        return outputs.argmax(1) == labels

    def by_class(which):
        return torch.bincount(labels[which], minlength=10)

    intact = right(module)
    found = Atlas(by_class(labels >= 0), by_class(intact), {}, {})
    for name in receptive_field.conv_layers(module):
        filters = range(module.get_submodule(name).out_channels)
        without = [right(ablated(module, {name: [number]})) for number in filters]
        found.ablated[name] = torch.stack([by_class(each) for each in without])
        found.lost[name] = torch.stack([(intact & ~each).sum() for each in without])
    return found


def assert_equal(found, expected):
    assert list(found.ablated) == list(expected.ablated)
    torch.testing.assert_close(vars(found), vars(expected), rtol=0, atol=0)


def pictures(count, seed=0):
    """Noise, tinted differently in each image."""
    generator = torch.Generator().manual_seed(seed)
    tint = torch.rand((count, 3, 1, 1), generator=generator)
    return (256 * tint * torch.rand((count, 3, 32, 32), generator=generator)).to(torch.uint8)


def sensitive(module):
    """Redraw the parameters so that predictions vary and single filters change them."""
    generator = torch.Generator().manual_seed(3)
    images = pictures(64, seed=9).float() / 255
    with torch.no_grad():
        for child in module.children():
            if isinstance(child, nn.BatchNorm2d):
                child.momentum = 1  # statistics of the one training pass below
                nn.init.uniform_(child.weight, 0.5, 1.5, generator)
                nn.init.normal_(child.bias, 0, 0.5, generator)
            elif isinstance(child, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(child.weight, generator=generator)
                if child.bias is not None:
                    nn.init.normal_(child.bias, 0, 0.1, generator)
        module.train()(images)
        module.eval()
        last = list(module.children())[-1]
        outputs = module(images)
        # logits around 0 with a standard deviation of 1: no class wins always
        last.bias -= outputs.mean(0)
        last.weight /= outputs.std(0)[:, None]
        last.bias /= outputs.std(0)
    return module


def half_right(module, images):
    """Labels that the network predicts right for about half of the images."""
    generator = torch.Generator().manual_seed(4)
    drawn = torch.randint(0, 10, (len(images),), generator=generator)
    keep = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(keep, logits(module, images).argmax(1), drawn)


TOYS = {
    "stride, dilation and wide padding": (
        nn.Conv2d(3, 4, 5, stride=2, padding=3),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3, stride=2, padding=2, dilation=2),
        nn.Flatten(),
        nn.Linear(5 * 81, 10),
    ),
    "oblong kernels, no bias, nothing between": (
        nn.Conv2d(3, 3, (1, 3), padding=(0, 1), stride=(2, 1), bias=False),
        nn.Conv2d(3, 4, (3, 1), stride=(2, 3), padding=(1, 0)),
        *(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        nn.Linear(4 * 4 * 5, 10),
    ),
    "norm after pool and after ReLU": (
        *(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Dropout(0.5), nn.Linear(4 * 36, 10)),
    ),
}


STUDY = {
    "net1": {"l1_oc": 6, "kernel_size": 5, "stride": 2, "filter_multiplier": 1.5},
    "net2": {"l1_oc": 2, "kernel_size": 7},  # no last pool
    "net3": {"l1_oc": 2, "dropout_rate": 0.5},
    "net4": {"l1_oc": 2, "dropout_rate": 0.3},
}


@pytest.mark.parametrize("name", [*TOYS, *STUDY])
def test_the_shortcut_gives_the_slow_way_s_counts(name):
    module = nn.Sequential(*TOYS[name]) if name in TOYS else zoo.build(name, **STUDY[name])
    images = pictures(40)
    labels = half_right(sensitive(module), images)
    expected = naive(module, images, labels)
    assert_equal(atlas(module, images, labels, batch_size=16), expected)
    assert (expected.intact > 0).sum() > 2, "the network sees only one or two classes"
    for counts in expected.ablated.values():
        assert (counts != expected.intact).any(), "no filter of this layer matters"
    gained = [expected.gained(name) for name in expected.ablated]
    assert (torch.cat(gained) > 0).any(), "no filter at zero makes an image right"


@pytest.fixture
def hand_made(red_and_green):
    """Images of plain colors: class 0 is red, class 1 green, else class 2."""
    colors = torch.tensor([[1.0, 0, 0], [1.0, 0.5, 0], [0, 1.0, 0], [0, 0, 1.0]])
    images = colors[:, :, None, None].expand(-1, -1, 2, 2)
    return red_and_green, images, torch.tensor([0, 0, 1, 2])


def test_atlas_by_hand(hand_made):
    net, images, labels = hand_made
    found = atlas(net, images, labels)
    # logits intact: (5,0,2) (5,2,2) (1,4,2) (1,0,2), all right
    assert found.images.tolist() == [2, 1, 1]
    assert found.intact.tolist() == [2, 1, 1]
    # without filter 0: (1,0,2) (1,2,2) (1,4,2) (1,0,2); without filter 1: (5,0,2) (5,0,2) (1,0,2)
    assert found.ablated["conv1"].tolist() == [[0, 1, 1], [2, 0, 1]]
    assert found.drop("conv1").tolist() == [0.5, 0.25]
    assert found.class_drop("conv1").tolist() == [[1, 0, 0], [0, 1, 0]]
    assert found.lost["conv1"].tolist() == [2, 1]
    assert found.gained("conv1").tolist() == [0, 0]


def test_images_that_only_the_ablated_network_gets_right_are_gained(hand_made):
    net, images, _ = hand_made
    # predictions intact: 0 0 1 2; without filter 0: 2 1 1 2; without filter 1: 0 0 2 2
    found = atlas(net, images, torch.tensor([0, 1, 2, 1]))
    assert found.lost["conv1"].tolist() == [1, 0]
    assert found.gained("conv1").tolist() == [1, 1]
    assert found.drop("conv1").tolist() == [0, -0.25]


def test_a_zero_filter_is_never_missed():
    net = sensitive(zoo.build("net4", l1_oc=4))
    with torch.no_grad():
        for name in ("conv1", "conv3", "conv6"):
            net.get_submodule(name).weight[1] = 0
    images = pictures(30)
    found = atlas(net, images, half_right(net, images))
    for name in ("conv1", "conv3", "conv6"):
        assert torch.equal(found.ablated[name][1], found.intact)


def test_only_changed_images_run_through_the_rest(hand_made, monkeypatch):
    net, images, labels = hand_made
    baddbmm = Mock(wraps=torch.baddbmm)
    monkeypatch.setattr(torch, "baddbmm", baddbmm)
    atlas(net, images, labels, batch_size=4)
    # of the 2 * 4 pairs: two images have red, two have green
    assert [len(first) for (first, *_), _ in baddbmm.call_args_list] == [4]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("net", "dropout"), [("net3", 0.0), ("net4", 0.5)])
def test_neither_batch_size_nor_mode_nor_type_of_images_matters(net, dropout, training):
    net = sensitive(zoo.build(net, l1_oc=2, dropout_rate=dropout))
    images = pictures(21)
    labels = half_right(net, images)
    whole = atlas(net, images, labels, batch_size=500)
    with left_alone(net.train(training)):
        for batch_size in (4, 21):
            assert_equal(atlas(net, images, labels, batch_size), whole)
        assert_equal(atlas(net, images.float() / 255, labels), whole)


def test_progress_counts_pairs_of_filters_and_images():
    net = zoo.build("net1", l1_oc=4, filter_multiplier=2)
    calls = []
    labels = torch.zeros(5, dtype=torch.int64)
    atlas(net, pictures(5), labels, batch_size=3, progress=lambda *call: calls.append(call))
    # 4 then 8 filters on 3 images, then on 2
    assert calls == [(12, 60), (36, 60), (44, 60), (60, 60)]


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(3600, 10)),
        (nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(3136, 10)),
        (nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.Flatten(), nn.Linear(4096, 10)),
        (nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3600, 10)),
        (nn.Conv2d(3, 10, 32), nn.Flatten()),
    ],
)
def test_a_layer_that_the_shortcut_is_wrong_for_is_refused(layers):
    with pytest.raises(ValueError, match="the atlas"):
        atlas(nn.Sequential(*layers), pictures(2), torch.zeros(2, dtype=torch.int64))
