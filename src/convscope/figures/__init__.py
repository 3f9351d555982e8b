"""Arrays and tables in, matplotlib figures out; nothing here reads a file or computes a result.

Accuracies and probabilities go in as fractions, 0..1; figures show accuracies in percent. May
import base.

A module here is imported when it is first asked for, as ``figures.dots``: matplotlib takes half a
second, in which a stage may already compute (PEP 562).
"""

import importlib
import threading
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convscope.figures import (
        atlas,
        curves,
        diagrams,
        dots,
        galleries,
        maps,
        matrices,
        names,
        page,
        style,
        windows,
    )

__all__ = [
    "atlas",
    "curves",
    "diagrams",
    "dots",
    "galleries",
    "maps",
    "matrices",
    "names",
    "page",
    "style",
    "windows",
]

# two threads in modules that import one another would find them unfinished
_importing = threading.RLock()


def __getattr__(name: str) -> ModuleType:
    """Import one of these modules."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _importing:
        return importlib.import_module(f"{__name__}.{name}")


def get_ready() -> None:
    """Begin to import what draws, in a thread; who needs it before it is there waits."""
    threading.Thread(target=_import_all, daemon=True).start()


def _import_all() -> None:
    with _importing, suppress(Exception):  # what is wrong is said where a figure is drawn
        for name in __all__:
            importlib.import_module(f"{__name__}.{name}")
