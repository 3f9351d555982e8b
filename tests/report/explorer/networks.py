"""Small networks whose logits are as large as trained ones', and what torch makes of images."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from tests import toys
from torch import Tensor, nn

from convscope.analysis.ablation import joint
from convscope.nets import zoo
from convscope.nets.receptive_field import conv_layers, feature_layer

GRAY = 128 / 255
NETS = {
    "baseline": ("baseline", {}),
    "net1": ("net1", {"l1_oc": 6}),
    "net1, stride 2": ("net1", {"l1_oc": 6, "stride": 2}),
    "net2, kernel 7": ("net2", {"l1_oc": 3, "kernel_size": 7}),
    "net3": ("net3", {"l1_oc": 4}),
    "net4": ("net4", {"l1_oc": 4}),
}


def built(name: str) -> nn.Sequential:
    """A network of ``NETS``, or ``norms``: one with norms that do not follow a convolution."""
    torch.manual_seed(0)
    module = _norms() if name == "norms" else zoo.build(NETS[name][0], **NETS[name][1])
    images = toys.noise(16, seed=1).float() / 255
    module.train()(images)  # norms see something
    module.eval()
    last = list(module.children())[-1]
    with torch.no_grad():
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.uniform_(-0.5, 0.5)
        last.weight *= 10 / module(images).abs().max()
    return module


def _norms() -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        norm1=nn.BatchNorm2d(3),
        conv1=nn.Conv2d(3, 4, 5, stride=2, padding=2),
        relu1=nn.ReLU(),
        norm2=nn.BatchNorm2d(4),
        conv2=nn.Conv2d(4, 5, 4, padding=1, bias=False),
        norm3=nn.BatchNorm2d(5),
        pool1=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=nn.Linear(5 * 7 * 7, 10),
    )
    return nn.Sequential(layers)


def tiny() -> nn.Sequential:
    """A network of three classes, with the filters that the toy folders tell of."""
    torch.manual_seed(3)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(3, 3, 3, padding=1),
        norm1=nn.BatchNorm2d(3),
        pool1=nn.MaxPool2d(2),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(3, 3, 3, stride=2),
        relu2=nn.ReLU(),
        flatten=nn.Flatten(),
        dropout1=nn.Dropout(0.5),
        fc1=nn.Linear(3 * 7 * 7, 3),
    )
    module = nn.Sequential(layers)
    with torch.no_grad():
        module(toys.noise(16, seed=1).float() / 255)
        layers["fc1"].weight.mul_(20)
    return module.eval()


def covered(images: Tensor, window: Mapping[str, int] | None) -> Tensor:
    """Images, uint8, in [0, 1], under a gray window."""
    pixels = images.float() / 255
    if window:
        size, row, column = window["size"], window["row"], window["column"]
        pixels[:, :, row : row + size, column : column + size] = GRAY
    return pixels


def answer(
    module: nn.Sequential,
    image: Tensor,
    off: Mapping[str, Sequence[int]],
    window: Mapping[str, int] | None,
) -> dict[str, Any]:
    """The logits, and by convolution the map as the study has it, of an image, by torch."""
    wanted = {feature_layer(module, layer): layer for layer in conv_layers(module)}
    found: dict[str, Any] = {}
    with torch.no_grad():
        output = covered(image[None], window)
        for name, child in joint.ablated(module, off).named_children():
            output = child(output)
            if name in wanted:
                found[wanted[name]] = output.flatten()
    return {"logits": output.flatten(), **found}
