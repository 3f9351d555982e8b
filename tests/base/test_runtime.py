import os
from operator import attrgetter

import pytest
import torch
from joblib.externals.loky.backend import context

from convscope.base import names, runtime
from convscope.base.errors import UserError

UNKNOWN = ("gpu", "cuda:1", "")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in (names.DEVICE, names.WORKERS, names.CUDA_GRAPHS):
        monkeypatch.delenv(name, raising=False)


def with_cuda(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)


def with_processors(monkeypatch, count):
    """Let this process use so many processors."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(count)), raising=False)


@pytest.mark.parametrize(
    ("asked", "there", "device"),
    [
        (None, False, "cpu"),
        (None, True, "cuda"),
        ("auto", False, "cpu"),
        ("auto", True, "cuda"),
        ("cpu", True, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_the_device_is_the_one_asked_for_or_cuda_where_it_is(asked, there, device, monkeypatch):
    with_cuda(monkeypatch, there)
    if asked is not None:
        monkeypatch.setenv("CONVSCOPE_DEVICE", asked)
    assert runtime.device() == torch.device(device)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("cuda", "CONVSCOPE_DEVICE=cuda, but torch sees no CUDA device"),
        *((name, f"CONVSCOPE_DEVICE={name}: set it to auto, cpu or cuda") for name in UNKNOWN),
    ],
)
def test_a_device_that_is_unknown_or_not_there_is_a_user_error(asked, why, monkeypatch):
    with_cuda(monkeypatch, there=False)
    monkeypatch.setenv("CONVSCOPE_DEVICE", asked)
    with pytest.raises(UserError, match=why):
        runtime.device()


@pytest.mark.parametrize("asked", ["1", "2", "256"])
def test_as_many_workers_as_asked_for_even_with_cuda(asked, monkeypatch):
    with_cuda(monkeypatch, there=True)
    monkeypatch.setenv("CONVSCOPE_WORKERS", asked)
    assert runtime.workers(threads=1) == int(asked)


@pytest.mark.parametrize("asked", ["0", "257", "-1", "1.5", "two", ""])
def test_a_wrong_number_of_workers_is_a_user_error(asked, monkeypatch):
    monkeypatch.setenv("CONVSCOPE_WORKERS", asked)
    with pytest.raises(UserError, match=rf"^CONVSCOPE_WORKERS={asked}: set it to a whole number"):
        runtime.workers(threads=1)


@pytest.mark.parametrize(
    ("threads", "cuda", "workers"),
    [(1, False, 5), (2, False, 2), (5, False, 1), (8, False, 1), (1, True, 1)],
)
def test_workers_fill_the_processors_of_this_process_or_one_gpu(
    threads, cuda, workers, monkeypatch
):
    with_cuda(monkeypatch, cuda)
    with_processors(monkeypatch, 5)
    assert runtime.workers(threads) == workers


def test_a_container_s_share_of_the_processors_counts(monkeypatch):
    with_cuda(monkeypatch, there=False)
    with_processors(monkeypatch, 64)
    # joblib's own reading of the quota, whichever version of control groups there is
    monkeypatch.setattr(context, "_cpu_count_cgroup", lambda _: 3)
    assert runtime.workers(threads=1) == 3


@pytest.mark.parametrize(
    ("asked", "device", "graphs"),
    [
        (None, "cuda", True),
        ("on", "cuda", True),
        ("off", "cuda", False),
        (None, "cpu", False),
        ("on", "cpu", False),
    ],
)
def test_steps_are_replayed_on_a_gpu_unless_that_is_off(asked, device, graphs, monkeypatch):
    if asked is not None:
        monkeypatch.setenv("CONVSCOPE_CUDA_GRAPHS", asked)
    assert runtime.cuda_graphs(torch.device(device)) == graphs


@pytest.mark.parametrize("asked", ["1", "ON", ""])
def test_a_wrong_word_for_graphs_is_a_user_error(asked, monkeypatch):
    monkeypatch.setenv("CONVSCOPE_CUDA_GRAPHS", asked)
    with pytest.raises(UserError, match=f"CONVSCOPE_CUDA_GRAPHS={asked}: set it to on or off"):
        runtime.cuda_graphs(torch.device("cpu"))


def state():
    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()


def test_fresh_memory_is_not_filled_inside():
    before = torch.utils.deterministic.fill_uninitialized_memory
    with runtime.deterministic(threads=torch.get_num_threads()):
        assert not torch.utils.deterministic.fill_uninitialized_memory
    assert torch.utils.deterministic.fill_uninitialized_memory == before


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("library", ["cudnn", "cuda.matmul"])
def test_fp32_is_not_rounded_to_tf32_inside(library, before):
    settings = attrgetter(library)(torch.backends)
    usual = settings.allow_tf32
    settings.allow_tf32 = before
    try:
        with runtime.deterministic(threads=torch.get_num_threads()):
            assert not settings.allow_tf32
        assert settings.allow_tf32 == before
    finally:
        settings.allow_tf32 = usual


@pytest.fixture
def _restored():
    """Leaves torch's settings as they were, whatever the test did."""
    threads, deterministic = state()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("before", [(2, False), (1, True)])
def test_deterministic_is_so_inside_and_restores_what_was(before):
    torch.set_num_threads(before[0])
    torch.use_deterministic_algorithms(before[1])
    with runtime.deterministic(threads=3):
        assert state() == (3, True)
    assert state() == before


@pytest.mark.usefixtures("_restored")
def test_a_failure_inside_restores_too():
    torch.set_num_threads(2)
    with pytest.raises(RuntimeError, match="inside"), runtime.deterministic(threads=1):
        raise RuntimeError("inside")
    assert state() == (2, False)


@pytest.mark.parametrize(("before", "inside"), [(None, ":4096:8"), (":16:8", ":16:8")])
def test_cublas_is_told_to_be_deterministic_unless_it_was_told(before, inside, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    if before is not None:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", before)
    with runtime.deterministic(threads=torch.get_num_threads()):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == inside
