"""The processor's name and kind, and whether it computes in bf16."""

import platform
import re
import sys
from pathlib import Path

_LISTING = Path("/proc/cpuinfo")
# by these, among the many that a processor has, libraries choose how they compute
_CHOOSING = {"fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "sve"}
# the instruction sets of x86 processors that multiply in bf16
_BF16 = {"amx_bf16", "avx512_bf16", "avx_ne_convert"}


def processor() -> str:
    """The processor's name, as far as the system knows it."""
    return _listed("model name") or platform.processor() or platform.machine()


def kind() -> str:
    """What the bits of a result depend on: architecture, make and instruction sets."""
    make = _listed("vendor_id") or _listed("CPU implementer") or "unknown make"
    return f"{platform.machine()}, {make}, {' '.join(sorted((_CHOOSING | _BF16) & _flags()))}"


def is_x86_64() -> bool:
    """Whether this is an x86-64 processor."""
    return platform.machine().lower() in ("x86_64", "amd64")


def has_avx2() -> bool:
    """Whether this is an x86-64 processor that is known to have AVX2 and fused multiply-add."""
    return is_x86_64() and _flags() >= {"avx2", "fma"}


def _flags() -> set[str]:
    return set((_listed("flags") or _listed("Features")).split())


def _listed(key: str) -> str:
    """What the system lists of its first processor under a key; empty where it does not."""
    text = _LISTING.read_text(encoding="utf-8") if _LISTING.is_file() else ""
    found = re.search(rf"^{key}[ \t]*:(.*)", text, re.MULTILINE)
    return found[1].strip() if found else ""


def computes_in_bf16(device: str = "cpu") -> bool:
    """Whether the device "cpu" or "cuda" has bf16 instructions and does not emulate them."""
    import torch  # seconds to import, and most callers have it

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # oneDNN, which computes torch's convolutions on processors, also takes bf16 where an x86
    # processor has AVX-512 without its bf16 part, and emulates it there
    flags = set(_listed("flags").split())
    has_kernels = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return has_kernels and (not flags or bool(flags & _BF16))


def warn_of_emulation(stage: str, precision: str, device: str) -> None:
    """Say in one line on standard error that training will be slow if bf16 is emulated."""
    if precision != "bf16" or computes_in_bf16(device):
        return
    what = "GPU" if device == "cuda" else "processor"
    print(
        f"convscope: {stage}: this {what} does not compute in bf16; torch emulates it, several "
        "times slower than fp32: set train.precision to fp32 in params.yaml",
        file=sys.stderr,
        flush=True,
    )
