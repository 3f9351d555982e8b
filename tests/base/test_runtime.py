import os

import pytest
import torch
from joblib.externals.loky.backend import context

from convscope.base import kernels, names, runtime
from convscope.base.errors import UserError
from convscope.base.kernels import NATIVE, PORTABLE


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in (names.DEVICE, names.WORKERS, names.CUDA_GRAPHS):
        monkeypatch.delenv(name, raising=False)


def with_cuda(monkeypatch, there, held=NATIVE):
    monkeypatch.setattr(kernels, "held", lambda: held)
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


def test_portable_kernels_are_a_processors(monkeypatch):
    with_cuda(monkeypatch, there=True, held=PORTABLE)
    assert runtime.device() == torch.device("cpu")


def test_what_was_loaded_under_other_kernels_does_not_compute():
    with pytest.raises(UserError, match=r"torch was imported before .* native"):
        runtime.deterministic(1, NATIVE).__enter__()


@pytest.mark.parametrize(
    ("name", "read", "asked", "remedy"),
    [
        *((names.DEVICE, runtime.device, n, "auto, cpu or cuda$") for n in ("gpu", "cuda:1", "")),
        (names.DEVICE, runtime.device, "cuda", "auto or cpu$"),
        *(
            (names.WORKERS, lambda: runtime.workers(threads=1), n, "a whole number from 1 to 256$")
            for n in ("0", "257", "-1", "1.5", "two", "")
        ),
        *(
            (names.CUDA_GRAPHS, lambda: runtime.cuda_graphs(torch.device("cpu")), n, "on or off$")
            for n in ("1", "ON", "")
        ),
    ],
)
def test_a_wrong_variable_is_a_user_error(name, read, asked, remedy, monkeypatch):
    with_cuda(monkeypatch, there=False)
    monkeypatch.setenv(name, asked)
    why = ", but torch sees no CUDA device" if asked == "cuda" else ""
    with pytest.raises(UserError, match=f"^{name}={asked}{why}: set it to {remedy}"):
        read()


@pytest.mark.parametrize(
    ("asked", "threads", "cuda", "workers"),
    [
        *((None, *case) for case in [(1, False, 5), (2, False, 2), (5, False, 1), (8, False, 1)]),
        (None, 1, True, 1),
        *((str(number), 1, True, number) for number in (1, 2, 256)),
    ],
)
def test_workers_are_those_asked_for_or_fill_the_processors_of_this_process_or_one_gpu(
    asked, threads, cuda, workers, monkeypatch
):
    with_cuda(monkeypatch, cuda)
    with_processors(monkeypatch, 5)
    if asked is not None:
        monkeypatch.setenv("CONVSCOPE_WORKERS", asked)
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


def state():
    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (torch.backends.cudnn, "allow_tf32"),
        (torch.backends.cuda.matmul, "allow_tf32"),
        (torch.utils.deterministic, "fill_uninitialized_memory"),
    ],
)
def test_fp32_is_not_rounded_and_fresh_memory_not_filled_inside(owner, name, before):
    usual = getattr(owner, name)
    setattr(owner, name, before)
    try:
        with runtime.deterministic(torch.get_num_threads(), PORTABLE):
            assert not getattr(owner, name)
        assert getattr(owner, name) == before
    finally:
        setattr(owner, name, usual)


@pytest.fixture
def _restored():
    """Leaves torch's settings as they were, whatever the test did."""
    threads, deterministic = state()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("before", [(2, False), (1, True)])
def test_deterministic_is_so_inside_and_restores_what_was_after_a_failure_too(before):
    torch.set_num_threads(before[0])
    torch.use_deterministic_algorithms(before[1])
    with runtime.deterministic(3, PORTABLE):
        assert state() == (3, True)
    assert state() == before
    with pytest.raises(RuntimeError, match="inside"), runtime.deterministic(1, PORTABLE):
        raise RuntimeError("inside")
    assert state() == before
