"""One process of this project at a time works on a stage."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCKS = Path(".convscope/locks")
QUIET_SECONDS = 1.0


@contextmanager
def stage_lock(stage: str) -> Iterator[None]:
    """Keep other processes from working on a stage, such as ``train@net1``; they wait.

    The system opens the lock when the process that holds it dies, however it dies.
    """
    LOCKS.mkdir(parents=True, exist_ok=True)
    lock = FileLock(LOCKS / f"{stage.replace('/', '-')}.lock")
    try:
        held = lock.acquire(timeout=QUIET_SECONDS)
    except Timeout:
        print(f"convscope: waiting: another process works on {stage}", file=sys.stderr, flush=True)
        held = lock.acquire()
    with held:
        yield
