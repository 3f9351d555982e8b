"""What machine this is, in words that a result can be read by."""

import platform
from pathlib import Path

_LISTING = Path("/proc/cpuinfo")


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    if _LISTING.is_file():
        for line in _LISTING.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def computes_in_bf16() -> bool:
    """Whether oneDNN, which computes torch's convolutions on processors, has bf16 kernels here."""
    import torch  # seconds to import, and most callers have it

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
