"""What DVC does to the folder in which an experiment runs."""

import os
from pathlib import Path

from convscope.base.paths import PARAMS


def undo(message: str) -> str:
    """A refusal of params.yaml, with how to take back what DVC has written there; others as is.

    DVC composes the file before the first stage of ``dvc exp run -S`` begins. Of an experiment in
    a temporary folder it keeps nothing.
    """
    root = os.environ.get("DVC_ROOT")
    here = root is not None and Path(root).resolve() == Path().resolve()
    if here and "DVC_EXP_NAME" in os.environ and message.startswith(f"{PARAMS}: "):
        return f"{message}; to undo it: `git checkout {PARAMS}`, then `dvc repro`"
    return message
