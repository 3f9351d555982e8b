"""How training processes start: forked by a server that has imported torch, once for all of them.

Nothing here imports torch, so that the server can begin with it while this process does.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext

from convscope.base.names import WORKERS

# what a training process imports until its first step; optimizers of torch import the second
PRELOADED = ["convscope.training.executor", "torch._dynamo"]


def context() -> BaseContext:
    """Where training processes come from."""
    if sys.platform != "linux":  # elsewhere system libraries may not survive a fork
        return multiprocessing.get_context("spawn")
    served = multiprocessing.get_context("forkserver")
    served.set_forkserver_preload(PRELOADED)
    return served


def warm_up() -> None:
    """Start the server now, so that the first epoch begins sooner, where processes will train."""
    if sys.platform == "linux" and os.environ.get(WORKERS) != "1":
        context()
        # started by the server, it would let interrupts through again
        resource_tracker.ensure_running()
        with interrupts_held():
            forkserver.ensure_running()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Processes started in the block never see an interrupt; this one sees it afterwards.

    A terminal sends Ctrl-C to all of them, and this process ends the others.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
