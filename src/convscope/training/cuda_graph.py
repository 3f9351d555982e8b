"""Replay on a GPU what a function launched there: one call instead of hundreds.

A training step of a small network is some hundred kernels of a few microseconds, and Python takes
longer to launch them than the GPU to run them. A CUDA graph holds them all and launches them at
once (PyTorch's notes on CUDA semantics, "CUDA Graphs").
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from convscope.base.errors import UserError, is_out_of_memory
from convscope.base.names import CUDA_GRAPHS

ORDINARY_CALLS = 3
"""Calls before the recording; in them libraries choose their kernels and take their workspaces."""


class CudaGraph:
    """Kernels that a function launches, recorded and launched again.

    It has a stream of its own, because the default one cannot be recorded.
    """

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()
        self._graph = torch.cuda.CUDAGraph()

    def prepare(self, work: Callable[[], None]) -> None:
        """Do the work as it is, where it is to be recorded."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            work()
        torch.cuda.current_stream().wait_stream(self._stream)

    def record(self, work: Callable[[], None]) -> None:
        """Record what the work launches, without running it."""
        with torch.cuda.graph(self._graph, stream=self._stream):
            work()

    def replay(self) -> None:
        """Run what was recorded: the same kernels on the same memory."""
        self._graph.replay()


class Replayed:
    """A function of tensors that is recorded after its first calls, and replayed from then on.

    It must leave its results in tensors that it made before, and must not read a number back from
    its device. Random numbers are new at every replay, and the same that it would have drawn.
    """

    def __init__(self, work: Callable[..., None], graph: CudaGraph) -> None:
        """Wrap a function; ``graph`` must be used for nothing else."""
        self._work, self._graph = work, graph
        self._calls = 0
        self._shapes: list[torch.Size] = []
        self._inputs: Sequence[Tensor] = ()

    def __call__(self, *inputs: Tensor) -> None:
        """Do the work on tensors of its device.

        Only inputs of the first call's shapes are recorded; others, such as an epoch's last batch,
        go through the function itself.

        Raises:
            UserError: The work cannot be recorded.
        """
        shapes = [value.shape for value in inputs]
        self._shapes = self._shapes or shapes
        if shapes != self._shapes:
            self._work(*inputs)
            return
        self._calls += 1
        if self._calls <= ORDINARY_CALLS:
            self._graph.prepare(partial(self._work, *inputs))
            return
        if not self._inputs:
            self._record(inputs)
        for held, value in zip(self._inputs, inputs, strict=True):
            held.copy_(value)
        self._graph.replay()

    def _record(self, inputs: Sequence[Tensor]) -> None:
        """Record the work on tensors that every replay reads."""
        self._inputs = [value.clone() for value in inputs]
        try:
            self._graph.record(partial(self._work, *self._inputs))
        except RuntimeError as error:
            # a recording that failed ends with an error of its own, which says nothing
            first = error.__context__ if isinstance(error.__context__, RuntimeError) else error
            if is_out_of_memory(first):
                raise first from None
            why = str(first).strip().partition("\n")[0]
            raise UserError(
                f"the GPU cannot record a training step ({why}): set {CUDA_GRAPHS}=off"
            ) from first
