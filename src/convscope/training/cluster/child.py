"""A training process of a cluster's worker, which describes itself and trains what it is sent.

``python -m convscope.training.cluster.child HANDLE KERNELS`` answers over a connection, of
which a worker holds the other end. It ends with the worker, or after ``IDLE_SECONDS`` without work.
"""

import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from convscope.base import kernels
from convscope.base.errors import UserError
from convscope.training import processes

IDLE_SECONDS = 900.0


def main() -> None:
    """Answer a number of threads by a description, a job by its events, and end each by None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, for the worker
    kernels.hold(sys.argv[2])  # before anything imports torch
    connection = Connection(int(sys.argv[1]))
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, asked), daemon=True).start()
    with connection:
        while True:
            try:
                question = asked.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                return
            try:
                _answer(question, connection)
            except UserError as error:
                connection.send(error)
            except Exception:  # a mistake of ours, for the driver's user to report
                connection.send(RuntimeError(traceback.format_exc()))


def _listen(connection: Connection, asked: "queue.SimpleQueue[Any]") -> None:
    """Pass on what is asked; without this a run would outlive a worker that was killed."""
    try:
        while True:
            asked.put(connection.recv())
    except (EOFError, OSError):
        os._exit(1)


def _answer(question: int | Mapping[str, Any], connection: Connection) -> None:
    if isinstance(question, int):
        connection.send(_description(question))
    else:
        _train(question, connection)
    connection.send(None)


def _description(threads: int) -> dict[str, str]:
    """What the bits of a run of so many CPU threads depend on here."""
    for name in processes.PRELOADED:  # so that the first run does not wait
        importlib.import_module(name)
    import torch

    from convscope.base import runtime
    from convscope.training import run

    with runtime.deterministic(threads, kernels.held() or kernels.NATIVE):
        return {
            "torch": torch.__version__,
            "code": run.code()[:12],
            "threads": str(torch.get_num_threads()),
            "processor": kernels.computed_on(runtime.device().type),
        }


def _train(job: Mapping[str, Any], connection: Connection) -> None:
    """Train a run in the job's folder, and send its events."""
    from convscope.base import runtime
    from convscope.data.augment import Augmentation
    from convscope.training import executor
    from convscope.training.run import Run, Settings

    settings = {**job["settings"], "augment": Augmentation(**job["settings"]["augment"])}
    run = Run(job["net"], job["point"], Settings(**settings), job["data"])
    executor.train_run(
        run,
        Path(job["folder"]),
        _data(Path(job["dataset"])),
        runtime.device(),
        lambda event: connection.send(asdict(event)),
    )


@lru_cache(maxsize=1)
def _data(path: Path) -> Any:
    """A data set, kept for the next run."""
    from convscope.base import runtime
    from convscope.data import datasets

    return datasets.load(path).to(runtime.device())


if __name__ == "__main__":
    main()
