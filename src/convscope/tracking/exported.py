"""A trained network -> a folder that MLflow loads and serves: pixels in, probabilities out."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import mlflow.pytorch
import numpy as np
import torch
from mlflow.models import ModelSignature
from mlflow.types.schema import Schema, TensorSpec
from torch import nn
from torch.fx import config

from convscope.data.datasets import IMAGE_SHAPE
from convscope.nets.inference import as_input

# torch.export takes the size of a batch of one for a constant
EXAMPLES = 2
# what the folder is loaded and served with
_NEEDED = ("mlflow", "torch", "numpy")


class _Probabilities(nn.Module):
    """The softmax of a network's logits, of images as the data set has them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.network(as_input(images, images.device)).float()
        return torch.softmax(logits, dim=1)


def describe(classes: tuple[str, ...]) -> str:
    """What the folder's model takes and answers, in a sentence."""
    return (
        "Takes RGB images, (N, 3, 32, 32) uint8 pixels of 0 to 255, and answers (N, "
        f"{len(classes)}) float32 probabilities of {', '.join(classes)}."
    )


def save(network: nn.Module, classes: tuple[str, ...], images: torch.Tensor, folder: Path) -> None:
    """Write a network in evaluation mode, on the CPU, as an MLflow model of the flavor pytorch.

    Args:
        network: From images, (N, 3, 32, 32) float in [0, 1], to logits.
        classes: The names of its outputs.
        images: ``EXAMPLES`` images, (2, 3, 32, 32) uint8, that the model keeps as its example.
        folder: Missing or empty.
    """
    answered = f"probabilities of {', '.join(classes)}"
    signature = ModelSignature(
        Schema([TensorSpec(np.dtype(np.uint8), (-1, *IMAGE_SHAPE))]),
        Schema([TensorSpec(np.dtype(np.float32), (-1, len(classes)), answered)]),
    )
    model = mlflow.models.Model()
    with _without_stack_traces():
        mlflow.pytorch.save_model(
            _Probabilities(network).requires_grad_(False),
            folder,
            mlflow_model=model,
            signature=signature,
            input_example=images.numpy(),
            # the public part: 2.13.0+cpu is not on the usual index
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in _NEEDED],
            metadata={"classes": list(classes), "description": describe(classes)},
            serialization_format="pt2",
        )
    # MLflow would load it onto a GPU where there is one, and cannot: it was exported on a CPU
    model.flavors["python_function"]["config"] = {"device": "cpu"}
    model.save(folder / "MLmodel")


@contextmanager
def _without_stack_traces() -> Iterator[None]:
    """Exports in the block do not name the folders of this machine."""
    before = config.do_not_emit_stack_traces
    config.do_not_emit_stack_traces = True
    try:
        yield
    finally:
        config.do_not_emit_stack_traces = before
