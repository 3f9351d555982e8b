from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock, Mock, call

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from convscope.base.errors import UserError
from convscope.training import trainer
from convscope.training.cuda_graph import ORDINARY_CALLS, CudaGraph, Replayed
from tests import toys
from tests.projects import contents
from tests.training.toy_runs import cut, train

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


def summing():
    """A function that adds up squares, and the sum."""
    total = torch.zeros(())
    return Mock(side_effect=lambda values: total.add_(values.square().sum())), total


def test_the_first_calls_are_ordinary_and_then_nothing_is_called_but_the_graph():
    (work, total), tape = summing(), Tape()
    replayed = Replayed(work, tape)
    for number in range(10):
        replayed(torch.tensor([1.0, number]))
    assert total == 10 + sum(number**2 for number in range(10))
    assert work.call_count == ORDINARY_CALLS + 1  # the last is the recording
    assert (tape.prepared, tape.replayed) == (ORDINARY_CALLS, 10 - ORDINARY_CALLS)


def test_inputs_of_another_shape_are_never_recorded():
    (work, total), tape = summing(), Tape()
    replayed = Replayed(work, tape)
    for _ in range(10):
        replayed(torch.ones(3))
        replayed(torch.ones(2))
    assert total == 50
    assert work.call_count == 10 + ORDINARY_CALLS + 1


class Failing(Tape):
    """A graph whose recording fails; CUDA may end it with an error that hides the first."""

    def __init__(self, error, hidden):
        super().__init__()
        self.error, self.hidden = error, hidden

    def record(self, _work):
        try:
            raise self.error
        finally:
            if self.hidden:
                raise RuntimeError("failed due to a previous error during capture")


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    ("error", "told", "why"),
    [
        (RuntimeError("no\nmore"), UserError, r"step \(no\): set CONVSCOPE_CUDA_GRAPHS=off"),
        (torch.cuda.OutOfMemoryError("out of memory"), torch.cuda.OutOfMemoryError, "memory"),
    ],
)
def test_work_that_cannot_be_recorded_ends_with_what_to_do(error, told, why, hidden):
    replayed = Replayed(Mock(), Failing(error, hidden))
    for _ in range(ORDINARY_CALLS):
        replayed(torch.ones(3))
    with pytest.raises(told, match=why):
        replayed(torch.ones(3))


@pytest.fixture
def tapes(monkeypatch):
    """Training as on a GPU, with tapes for graphs; the list of the tapes."""
    made = []

    def tape():
        made.append(Tape())
        return made[-1]

    monkeypatch.setattr(trainer.runtime, "cuda_graphs", lambda _device: True)
    monkeypatch.setattr(trainer, "CudaGraph", tape)
    return made


def data_of(run, batches):
    """So many batches of a run an epoch, and one of 4."""
    return toys.red_or_blue(train=batches * run.point["batch_size"] + 4)


def runs(**changes):
    """Runs of three epochs; an augmented net4 reads all that a step can read."""
    net4 = {"net": "net4", "dropout_rate": 0.3}  # and it has batch norm
    return {
        f"{net} in {precision}": toys.run(epochs=3, precision=precision, **more, **changes)
        for net, more in (("net1", {}), ("net4", net4))
        for precision in ("fp32", "bf16")
    }


# bfloat16 takes this processor long
RUNS, BATCHES = runs(batch_size=8), 5


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_replayed_training_gives_the_same_bytes(run, tmp_path, request):
    data = data_of(run, BATCHES)
    ordinary = train(run, tmp_path / "ordinary", data)
    tapes = request.getfixturevalue("tapes")
    assert train(run, tmp_path / "replayed", data) == ordinary
    (tape,) = tapes
    assert (tape.prepared, tape.replayed) == (ORDINARY_CALLS, 3 * BATCHES - ORDINARY_CALLS)


def test_a_resumed_replayed_run_ends_with_the_same_bytes(tapes, tmp_path):
    run = RUNS["net4 in fp32"]
    data = data_of(run, BATCHES)
    whole = train(run, tmp_path / "whole", data)
    cut(run, 2, tmp_path / "cut", data)
    assert train(run, tmp_path / "cut", data) == whole
    assert len(tapes) == 3


@pytest.mark.usefixtures("tapes")
def test_a_step_that_reads_a_number_back_is_found_out(tmp_path, monkeypatch):
    """The tape refuses what a GPU refuses; else the tests above would prove little."""
    accurate = trainer.Step.__call__

    def curious(step, *batch):
        accurate(step, *batch)
        if step.loss.item() < 0:
            raise AssertionError

    monkeypatch.setattr(trainer.Step, "__call__", curious)
    run = RUNS["net1 in fp32"]
    with pytest.raises(AssertionError, match="_local_scalar_dense cannot be recorded"):
        train(run, tmp_path, data_of(run, BATCHES))


def test_a_cuda_graph_is_prepared_and_recorded_on_one_stream_and_replayed_where_others_work(
    monkeypatch,
):
    """CUDA records no default stream, and kernels of two streams run in any order unless told."""
    cuda = MagicMock()
    monkeypatch.setattr(torch, "cuda", cuda)
    graph, side, default = CudaGraph(), cuda.Stream(), cuda.current_stream()
    cuda.reset_mock()
    graph.prepare(cuda.work)
    graph.record(cuda.work)
    graph.replay()
    assert [done for done in cuda.mock_calls if done != call.current_stream()] == [
        call.Stream().wait_stream(default),
        call.stream(side),
        call.stream().__enter__(),
        call.work(),
        call.stream().__exit__(None, None, None),
        call.current_stream().wait_stream(side),
        call.graph(cuda.CUDAGraph(), stream=side),
        call.graph().__enter__(),
        call.work(),
        call.graph().__exit__(None, None, None),
        call.CUDAGraph().replay(),
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
@pytest.mark.parametrize("run", runs().values(), ids=runs())
def test_on_a_gpu_replayed_training_gives_the_same_bytes(run, tmp_path, monkeypatch):
    device = torch.device("cuda")
    data = data_of(run, batches=11).to(device)
    for graphs in ("off", "on"):
        monkeypatch.setenv("CONVSCOPE_CUDA_GRAPHS", graphs)
        trainer.train(run, data, tmp_path / graphs, device)
    assert contents(tmp_path / "on") == contents(tmp_path / "off")
