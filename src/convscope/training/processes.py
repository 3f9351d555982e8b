"""How training processes start: forked by a server that has imported torch, once for all of them.

Nothing here imports torch, so that the server can begin with it while this process does.
"""

import multiprocessing
import os
import sys
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext

from convscope.base.interrupts import interrupts_held
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
