"""A training process of a cluster's worker, which says by what it computes and trains what it gets.

``python -m convscope.training.cluster.child HANDLE KERNELS THREADS`` answers over a connection, of
which a worker holds the other end. It ends with the worker, or after ``IDLE_SECONDS`` without work.
"""

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from convscope.base import kernels
from convscope.base.errors import UserError
from convscope.training import processes

IDLE_SECONDS = 900.0
Tell = Callable[[Any], None]


def main() -> None:
    """Tell a description, then of each job its events; None or an error ends each of these."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, for the worker
    threading.Thread(target=_end_with_worker, daemon=True).start()
    handle, kind, threads = sys.argv[1:]
    with Connection(int(handle)) as connection, suppress(EOFError):
        _answer(connection.send, _describe, kind, int(threads))
        while connection.poll(IDLE_SECONDS):
            _answer(connection.send, _train, *connection.recv())


def _end_with_worker() -> None:
    """Without this a run would outlive a worker that was killed, which holds our standard input."""
    sys.stdin.read()
    os._exit(1)


def _answer(tell: Tell, work: Callable[..., None], *asked: Any) -> None:
    try:
        work(tell, *asked)
        tell(None)
    except (UserError, OSError) as error:
        tell(error)
    except Exception:  # a mistake of ours, for the driver's user to report
        tell(RuntimeError(traceback.format_exc()))


def _describe(tell: Tell, kind: str, threads: int) -> None:
    """Tell what the bits of a run of so many CPU threads depend on here."""
    kernels.hold(kind)  # before anything imports torch
    importlib.import_module(processes.EXECUTOR)  # so that the first run does not wait
    import torch

    from convscope.base import runtime
    from convscope.training import run

    with runtime.deterministic(threads, kind):
        found = {"torch": str(torch.__version__), "code": run.code()[:12]}
        found |= {"threads": str(torch.get_num_threads())}
        tell(found | {"processor": kernels.computed_on(runtime.device().type)})


def _train(tell: Tell, plain: Mapping[str, Any], folder: str, dataset: str) -> None:
    """Train a run, given as plain values, in a folder, and tell its events."""
    from convscope.data.augment import Augmentation
    from convscope.training import executor
    from convscope.training.run import Run, Settings

    settings = {**plain["settings"], "augment": Augmentation(**plain["settings"]["augment"])}
    job = Run(**{**plain, "settings": Settings(**settings)}), Path(folder)
    executor.train_one_of_many(job, Path(dataset), lambda event: tell(asdict(event)))


if __name__ == "__main__":
    main()
