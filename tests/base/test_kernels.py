import os
import subprocess
import sys

import pytest
import torch

from convscope.base import kernels, machine
from convscope.base.errors import UserError
from convscope.base.kernels import NATIVE, PORTABLE

# what users, job schedulers and other programs set, each of which moves bits
MOVING = {
    "ATEN_CPU_CAPABILITY": "default",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "MKL_CBWR": "SSE4_2",
    "MKL_NUM_THREADS": "2",
    "OMP_DYNAMIC": "true",
    "OMP_THREAD_LIMIT": "1",
    "KMP_DETERMINISTIC_REDUCTION": "0",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "OPENBLAS_CORETYPE": "Prescott",
    "OPENBLAS_NUM_THREADS": "3",
    "NVIDIA_TF32_OVERRIDE": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":0:0",
}


@pytest.fixture
def unloaded(monkeypatch):
    """A process that has imported neither torch nor numpy, and has variables of its own."""
    for name in ("torch", "numpy"):
        monkeypatch.delitem(sys.modules, name)
    environment = {"PATH": "/bin"}
    monkeypatch.setattr(os, "environ", environment)
    return environment


@pytest.mark.parametrize("kind", [PORTABLE, NATIVE])
@pytest.mark.parametrize("x86_64", [True, False])
def test_whatever_moves_bits_is_held_or_taken_away(kind, x86_64, unloaded, monkeypatch):
    monkeypatch.setattr(machine, "is_x86_64", lambda: x86_64)
    kernels.hold(kind)
    clean = dict(unloaded)
    unloaded |= MOVING
    kernels.hold(kind)
    assert unloaded == clean
    assert kernels.held() == kind
    assert ("MKL_CBWR" in clean) == (x86_64 and kind == PORTABLE)
    assert ("NPY_DISABLE_CPU_FEATURES" in clean) == x86_64
    assert clean["PATH"] == "/bin"


def test_another_kind_can_be_held_until_torch_is_imported(unloaded):
    kernels.hold(PORTABLE)
    kernels.hold(NATIVE)
    assert "MKL_CBWR" not in unloaded
    assert kernels.held() == NATIVE


@pytest.mark.parametrize("name", ["torch", "numpy"])
def test_once_it_is_imported_the_same_kind_only(name, unloaded, monkeypatch):
    kernels.hold(PORTABLE)
    monkeypatch.setitem(sys.modules, name, object())
    kernels.hold(PORTABLE)
    with pytest.raises(UserError, match=rf"^{name} was imported before .*hold\('native'\)"):
        kernels.hold(NATIVE)
    unloaded["OMP_THREAD_LIMIT"] = "1"
    with pytest.raises(UserError, match=f"^{name} was imported"):
        kernels.hold(PORTABLE)
    assert unloaded["OMP_THREAD_LIMIT"] == "1"


def test_a_c_library_told_to_compute_otherwise_is_refused(monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=0")
    kernels.hold(PORTABLE)
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA")
    with pytest.raises(UserError, match=r"^GLIBC_TUNABLES changes"):
        kernels.hold(PORTABLE)


@pytest.mark.skipif(not machine.has_avx2(), reason="no x86-64 processor with AVX2 here")
def test_torch_and_numpy_do_as_they_are_told():
    from numpy._core._multiarray_umath import __cpu_features__ as has

    assert torch.backends.cpu.get_cpu_capability() == "AVX2"
    assert has["X86_V3"]
    assert not has["X86_V4"]


def test_without_being_held_a_process_says_so():
    code = "from convscope.base import kernels; print(kernels.held())"
    environment = {name: value for name, value in os.environ.items() if name != "CONVSCOPE_KERNELS"}
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, env=environment, text=True) == "None\n"


@pytest.mark.parametrize("avx2", [True, False])
@pytest.mark.parametrize("kind", [PORTABLE, NATIVE])
def test_a_result_names_what_computed_it_and_a_promise_not_kept_is_told(
    kind, avx2, monkeypatch, capsys
):
    monkeypatch.setattr(machine, "has_avx2", lambda: avx2)
    monkeypatch.setattr(kernels, "held", lambda: kind)
    kept = avx2 and kind == PORTABLE
    assert kernels.computed_on("cpu") == ("x86-64 with AVX2" if kept else machine.kind())
    kernels.warn_of_other_bits("occlusion")
    line = capsys.readouterr().err
    assert line.startswith("convscope: occlusion: kernels: portable gives") == (
        kind == PORTABLE and not avx2
    )
    assert line.count("\n") == bool(line)


def test_on_a_gpu_its_name_says_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    assert kernels.computed_on("cuda") == "NVIDIA H200"
