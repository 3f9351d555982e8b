"""Which instructions compute: those of every x86-64 processor with AVX2, or the fastest at hand.

torch, oneDNN, MKL, OpenMP and numpy read these variables when they are loaded, so they are set
before; nothing here imports any of them.
"""

import os
import sys

from convscope.base import machine
from convscope.base.errors import UserError

PORTABLE, NATIVE = "portable", "native"
ANY_X86_64 = "x86-64 with AVX2"
_HELD = "CONVSCOPE_KERNELS"
# all variables by which these libraries choose instructions, precision or the number of threads
_FAMILIES = ("ATEN_CPU_", "ONEDNN_", "DNNL_", "MKL_", "OMP_", "GOMP_", "KMP_", "NPY_", "OPENBLAS_")
# joblib and scikit-learn set these when they are imported; no bit depends on them
_HARMLESS = ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK")
_TF32 = ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
_ALWAYS = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # without it torch refuses matrix products on a GPU
    "OMP_DYNAMIC": "FALSE",
    "MKL_DYNAMIC": "FALSE",
}
# what numpy computes, tables and figures, is the same with both kinds: that costs no time
_ALWAYS_X86_64 = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
}
# of MKL's kinds only COMPATIBLE has the same bits on all makes of processors (its guide, "CNR")
_PORTABLE_X86_64 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",
}


def hold(kernels: str) -> None:
    """Hold this process and those that it starts to a kind of kernels, whatever the environment.

    In a process that is held to it already this changes nothing.

    Raises:
        UserError: torch or numpy has been imported with other settings, or the C library is told
            to compute by other instructions.
    """
    if "hwcaps" in os.environ.get("GLIBC_TUNABLES", ""):
        raise UserError("GLIBC_TUNABLES changes the instructions that compute: unset it")
    wanted = _variables(kernels)
    unwanted = [
        name
        for name in os.environ
        if (name.startswith(_FAMILIES) or name in _TF32) and name not in (*wanted, *_HARMLESS)
    ]
    if not unwanted and wanted.items() <= os.environ.items():
        return
    if loaded := {"numpy", "torch"} & sys.modules.keys():
        raise UserError(
            f"{max(loaded)} was imported before its kernels were held to {kernels}: begin with "
            f"`from convscope.base import kernels; kernels.hold({kernels!r})`"
        )
    for name in unwanted:
        del os.environ[name]
    os.environ.update(wanted)


def held() -> str | None:
    """What ``hold`` held this process, or the one that started it, to; None if it was not."""
    return os.environ.get(_HELD)


def computed_on(device: str) -> str:
    """The kind of processor whose bits a result has, on the device "cpu" or "cuda"."""
    if device == "cuda":
        import torch  # seconds to import, and who has a GPU has it

        return torch.cuda.get_device_name()
    return ANY_X86_64 if held() == PORTABLE and machine.has_avx2() else machine.kind()


def warn_of_other_bits(stage: str) -> None:
    """Say in one line on standard error where portable kernels do not keep their promise."""
    if held() == PORTABLE and not machine.has_avx2():
        print(
            f"convscope: {stage}: kernels: portable gives the same numbers on all x86-64 "
            "processors with AVX2 under Linux; here the last digits may differ, as with native",
            file=sys.stderr,
            flush=True,
        )


def _variables(kernels: str) -> dict[str, str]:
    found = {_HELD: kernels, **_ALWAYS}
    if machine.is_x86_64():
        found |= _ALWAYS_X86_64
        found |= _PORTABLE_X86_64 if kernels == PORTABLE else {}
    return found
