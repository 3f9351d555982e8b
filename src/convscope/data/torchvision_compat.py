"""Import torchvision beside any build of torch.

A torchvision wheel built for CUDA does not load its compiled operators beside a CPU build of torch
(and the other way round). Its Python part is then still whole, but ``import torchvision`` fails:
it registers fake implementations for ``nms`` and ``qnms``, two operators that only the compiled
part declares ("operator torchvision::nms does not exist"). Declaring the two first is enough.
convscope calls no compiled operator of torchvision, so nothing else is missing.
"""

import importlib
from types import ModuleType

import torch

_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_libraries: list[torch.library.Library] = []


def import_torchvision(module: str = "torchvision") -> ModuleType:
    """Import torchvision or one of its modules, whatever the two builds.

    Args:
        module: The module's full name, for example ``"torchvision.transforms.v2"``.

    Returns:
        The imported module.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        return importlib.import_module(module)
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    # a library's declarations vanish with the object, so it is kept for the life of the process
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in _OPERATORS.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + schema)
    _libraries.append(library)
    return importlib.import_module(module)
