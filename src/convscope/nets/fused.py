"""The same network with less to compute, for analyses that run it very often."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from convscope.nets.winograd import Winograd, suitable


def folded(module: nn.Sequential) -> nn.Sequential:
    """A network whose batch normalizations are part of the convolutions before them.

    The outputs are the same but for rounding. Normalizations that do not follow a convolution stay,
    as do the names of all layers that are left. The module given must be in evaluation mode; it
    stays as it is and shares its other layers.
    """
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for name, child in module.named_children():
        before = next(reversed(children), "")
        conv = children.get(before)
        if isinstance(child, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            children[before] = fuse_conv_bn_eval(conv, child)
        else:
            children[name] = child
    return nn.Sequential(children)


def fused(module: nn.Sequential) -> nn.Sequential:
    """``folded``, with the convolutions by ``Winograd`` that are faster so."""
    children = OrderedDict(folded(module).named_children())
    layers = list(children.values())
    for index, (name, child) in enumerate(children.items()):
        if suitable(child):
            children[name] = Winograd(child, _pooled_by(layers[index + 1 :]))
    return nn.Sequential(children)


def _pooled_by(following: Sequence[nn.Module]) -> int:
    """The side of the windows that pooling divides a feature map into; 1 where it does not."""
    reader = next((layer for layer in following if not isinstance(layer, nn.ReLU)), None)
    match reader:
        case nn.MaxPool2d(kernel_size=int(side), padding=0, dilation=1, ceil_mode=False):
            return side if reader.stride == side else 1
    return 1
