"""The table of rows, for a terminal and as Markdown, and what it was measured with."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import torch

from benchmarks.measuring import Row
from convscope.base.machine import processor

COLUMNS = ("what", "convscope", "other way", "result", "goal", "met", "n")
PACKAGES = ("torch", "torchvision", "captum", "mlflow", "dvc")


def text(title: str, rows: Sequence[Row]) -> str:
    """A benchmark's rows in aligned columns."""
    lines = [COLUMNS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([title, *aligned, ""])


def markdown(title: str, rows: Sequence[Row]) -> str:
    """A benchmark's rows as a Markdown section."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *map(_cells, rows)]
    return "\n".join([f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])


def machine(images: str) -> str:
    """What the numbers hold for, in one paragraph.

    Args:
        images: Which images were used.
    """
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    packages = ", ".join(map(_installed, PACKAGES))
    processors = os.cpu_count() or 1
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (
        f"{processors} x {processor()}, {accelerator}; Python {platform.python_version()}, "
        f"{packages}; images: {images}; load average at the start: {busy:.1f}."
    )


def _installed(package: str) -> str:
    """A package with its version; training and the analyses can be timed without mlflow and dvc."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "no", None: ""}[row.met]
    n = str(row.n) if row.n else ""
    return row.what, row.convscope, row.other, row.result, row.goal, met, n
