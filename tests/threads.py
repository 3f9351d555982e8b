"""Threads that sleep while they wait for each other, as a busy machine's should."""

import importlib
import os

# read once, by the library that torch brings along; what refuses it looks later
_POLICY = "OMP_WAIT_POLICY"


def import_torch() -> None:
    """Import torch with such threads, and leave the environment as it was."""
    before = os.environ.get(_POLICY)
    os.environ[_POLICY] = "passive"
    try:
        importlib.import_module("torch")
    finally:
        del os.environ[_POLICY]
        if before is not None:
            os.environ[_POLICY] = before
