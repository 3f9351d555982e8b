import pytest
import torch
from torch import nn

from convscope.analysis.occlusion.patches import Patches, logits, prepare
from convscope.nets.zoo import build


def _whole_images(module, clean, patches):
    """The slow, obvious way: paste every square into its image, run the images."""
    images = clean[patches.owners].clone()
    size = patches.values.shape[-1]
    for image, square, (row, column) in zip(
        images, patches.values, patches.corners.tolist(), strict=True
    ):
        image[:, row : row + size, column : column + size] = square
    return module(images)


def _everywhere(images, size, step=1):
    """Random squares at every position of every image, in mixed order."""
    starts = torch.arange(0, images.shape[-1] - size + 1, step)
    corners = torch.cartesian_prod(starts, starts).repeat(len(images), 1)
    owners = torch.arange(len(images)).repeat_interleave(len(corners) // len(images))
    order = torch.randperm(len(corners), generator=torch.Generator().manual_seed(3))
    values = torch.rand(len(corners), images.shape[1], size, size, dtype=images.dtype)
    return Patches(values, corners[order], owners[order])


@pytest.mark.parametrize("size", [1, 2, 3, 6, 13])
@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(2, 3, 3)],
        [nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)],
        [nn.Conv2d(2, 3, 3, stride=2), nn.ReLU(), nn.Conv2d(3, 4, 2, stride=2)],
        [nn.Conv2d(2, 3, 5, stride=2, padding=2), nn.MaxPool2d(2), nn.ReLU()],
        [nn.MaxPool2d(2), nn.MaxPool2d(2)],
        [nn.MaxPool2d(3, stride=2), nn.Conv2d(2, 4, 2, groups=2, bias=False)],
        [nn.Conv2d(2, 3, 7, padding=3), nn.Conv2d(3, 1, 1)],
        [nn.Conv2d(2, 3, 1, stride=2)],
        [nn.Conv2d(2, 3, 3, padding="same")],
        [nn.Conv2d(2, 3, 3, dilation=2)],
        [nn.Conv2d(2, 3, (1, 3))],
        [nn.Conv2d(2, 3, 3, padding=(0, 1))],
        [nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular")],
        [nn.MaxPool2d(2, padding=1)],
        [nn.MaxPool2d(2, dilation=2)],
        [nn.MaxPool2d(2, ceil_mode=True)],
        [nn.AvgPool2d(2), nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())],
    ],
    ids=str,
)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_same_outputs_as_whole_images_and_those_stay_as_they_are(layers, size, memory_format):
    torch.manual_seed(0)
    module = nn.Sequential(*layers, nn.Flatten()).double().eval()
    clean = torch.rand(3, 2, 13, 13, dtype=torch.float64).contiguous(memory_format=memory_format)
    patches = _everywhere(clean, size)
    before = clean.clone(), patches.values.clone()
    with torch.inference_mode():
        expected = _whole_images(module, clean, patches).float()
        assert torch.equal(logits(prepare(module, clean), patches), expected)
    assert torch.equal(clean, before[0])
    assert torch.equal(patches.values, before[1])


@pytest.mark.parametrize(
    ("net", "point"),
    [
        ("net1", {"l1_oc": 3, "stride": 2}),
        ("net1", {"l1_oc": 3, "kernel_size": 5}),
        ("net2", {"l1_oc": 2, "kernel_size": 7}),
        ("net3", {"l1_oc": 2}),
        ("net4", {"l1_oc": 2}),
    ],
)
@pytest.mark.parametrize("size", [5, 13])
def test_the_same_outputs_for_the_networks_of_the_study(net, point, size):
    torch.manual_seed(0)
    module = build(net, **point).double().eval()
    clean = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    patches = _everywhere(clean, size, step=3)
    with torch.inference_mode():
        expected = _whole_images(module, clean, patches).float()
        found = logits(prepare(module, clean), patches)
    torch.testing.assert_close(found, expected, atol=0, rtol=1e-6)


def test_first_layers_see_only_the_clean_images_whole():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(363, 5)).eval()
    seen = []
    for child in module:
        child.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    clean = torch.rand(3, 2, 13, 13)
    patches = _everywhere(clean, size=8)
    with torch.inference_mode():
        assert logits(prepare(module, clean), patches).shape == (108, 5)
    assert seen == [3, 108, 108]
