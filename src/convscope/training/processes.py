"""How training processes start: forked by a server that has imported torch, once for all of them.

Nothing here imports torch, so that the server can begin with it while this process does.
"""

import multiprocessing
import os
import sys
import tempfile
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.context import BaseContext
from pathlib import Path

from convscope.base.interrupts import interrupts_held
from convscope.base.names import CLUSTER, WORKERS

EXECUTOR = "convscope.training.executor"  # all that a training process imports
LONGEST_TMPDIR = 70  # bytes: multiprocessing's own names below it take 32 more
SHORT_TMPDIR = Path("/tmp")


def context() -> BaseContext:
    """Where training processes come from."""
    if sys.platform != "linux":  # elsewhere system libraries may not survive a fork
        return multiprocessing.get_context("spawn")
    _shorten_sockets()
    served = multiprocessing.get_context("forkserver")
    served.set_forkserver_preload([EXECUTOR])
    return served


def _shorten_sockets() -> None:
    """Let processes meet in a folder whose name is short enough for a socket.

    A socket's name has at most 107 bytes, and batch systems give each job a deep TMPDIR.
    """
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST_TMPDIR and SHORT_TMPDIR.is_dir():
        usual, tempfile.tempdir = tempfile.tempdir, str(SHORT_TMPDIR)
        try:
            util.get_temp_dir()  # which this process and its children keep from here on
        finally:
            tempfile.tempdir = usual


def warm_up() -> None:
    """Start the server now, so that the first epoch begins sooner, where processes may train."""
    if sys.platform == "linux" and os.environ.get(WORKERS) != "1" and not os.environ.get(CLUSTER):
        context()
        # started by the server, it would let interrupts through again
        resource_tracker.ensure_running()
        with interrupts_held():
            forkserver.ensure_running()
