"""One process of this project at a time works on a stage."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from convscope.base import paths
from convscope.base.errors import UserError

LOCKS = paths.KEPT / "locks"
QUIET_SECONDS = 1.0


@contextmanager
def stage_lock(stage: str) -> Iterator[None]:
    """Keep other processes from working on a stage, such as ``train@net1``; they wait.

    The system opens the lock when the process that holds it dies, however it dies.
    """
    lock = _lock(stage)
    try:
        held = lock.acquire(timeout=QUIET_SECONDS)
    except Timeout:
        print(f"convscope: waiting: another process works on {stage}", file=sys.stderr, flush=True)
        held = lock.acquire()
    with held:
        yield


@contextmanager
def nobody_works_on(stages: Iterable[str]) -> Iterator[None]:
    """Keep other processes from working on any of these stages; they wait.

    Raises:
        UserError: One is at work.
    """
    with ExitStack() as held:
        for stage in stages:
            try:
                held.enter_context(_lock(stage).acquire(timeout=0))
            except Timeout:
                raise UserError(
                    f"another process works on {stage}: run the same command when it has ended"
                ) from None
        yield


def _lock(stage: str) -> FileLock:
    LOCKS.mkdir(parents=True, exist_ok=True)
    return FileLock(LOCKS / f"{stage.replace('/', '-')}.lock")
