"""Import torchvision with any build of torch.

A torchvision wheel built for CUDA does not load its compiled operators with a CPU build of torch
(and the other way round), and ``import torchvision`` fails at ``nms`` and ``qnms``, which only the
compiled part declares. Declaring the two first is enough: convscope calls no compiled operator.
"""

import importlib
from types import ModuleType

import torch

_libraries: list[torch.library.Library] = []


def import_torchvision(module: str = "torchvision") -> ModuleType:
    """Import torchvision or one of its modules, such as ``"torchvision.transforms.v2"``."""
    try:
        return importlib.import_module(module)
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    # a library's declarations vanish with the object, so it is kept for the life of the process
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)
    return importlib.import_module(module)
