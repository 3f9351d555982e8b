"""A graph as CUDA's, on the CPU: it records torch's operations and runs them again in place."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Operation = tuple[Any, Any, Any, list[torch.Tensor]]

# these wait for a GPU, or copy to one from memory that need not be there at a replay
_NOT_ON_A_GPU = ("_local_scalar_dense", "nonzero", "lift_fresh", "is_nonzero", "masked_select")


class Tape:
    """``convscope.training.cuda_graph.CudaGraph`` without a GPU.

    A recording on a GPU runs nothing, here it does; so the first replay after it does nothing.
    """

    def __init__(self) -> None:
        self.prepared = self.replayed = 0
        self.operations: list[Operation] = []
        self._done = False

    def prepare(self, work: Callable[[], None]) -> None:
        self.prepared += 1
        work()

    def record(self, work: Callable[[], None]) -> None:
        with _Recorder(self.operations):
            work()
        self._done = True

    def replay(self) -> None:
        self.replayed += 1
        if self._done:
            self._done = False
            return
        with torch.no_grad():
            for function, args, kwargs, results in self.operations:
                again = _tensors(function(*args, **kwargs))
                for result, value in zip(results, again, strict=True):
                    if result.data_ptr() != value.data_ptr():
                        result.copy_(value)


class _Recorder(TorchDispatchMode):
    """Appends every operation, below autograd and autocast, with the tensors that it gave."""

    def __init__(self, operations: list[Operation]) -> None:
        super().__init__()
        self._operations = operations

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = str(function).split(".")[1]
        assert name not in _NOT_ON_A_GPU, f"{name} cannot be recorded on a GPU"
        result = function(*args, **(kwargs or {}))
        self._operations.append((function, args, kwargs or {}, _tensors(result)))
        return result


def _tensors(result: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
