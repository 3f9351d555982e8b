"""Measure a function in a process of its own, whose memory nobody else has grown or kept."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.measuring import Seconds
from convscope.base import allocator

# where processes come from; the command changes it where they must start quickly
context: Any = multiprocessing.get_context("spawn")

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Usage:
    """What a function took: seconds, and bytes by which the process's peak memory grew."""

    seconds: float
    growth: int


def usage(function: Callable[..., Callable[[], object]], *arguments: Any) -> Usage:
    """Prepare in a new process, and there measure what was prepared.

    Args:
        function: A function of a module, called with the arguments; what it returns is measured.
        *arguments: Picklable.

    Raises:
        RuntimeError: The process failed; its traceback is on stderr.
    """
    ours, its = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(its, function, arguments))
    process.start()
    its.close()
    try:
        found: Usage = ours.recv()
    except EOFError:
        raise RuntimeError(f"{function.__name__} failed in its process") from None
    finally:
        process.join()
    return found


@contextmanager
def apart(function: Callable[..., Seconds], *arguments: Any) -> Iterator[Seconds]:
    """Measure in a process that keeps freed memory, as those do that convscope trains in.

    Args:
        function: A function of a module, called with the arguments in that process.
        *arguments: Picklable.

    Yields:
        What the function returned there, to be called from here; between calls the process waits.
    """
    ours, its = context.Pipe()
    process = context.Process(target=_serve, args=(its, function, arguments))
    process.start()
    its.close()

    def measure() -> float:
        try:
            ours.send(None)
            seconds: float = ours.recv()
        except (EOFError, BrokenPipeError):
            raise RuntimeError(f"{function.__name__} failed in its process") from None
        return seconds

    try:
        yield measure
    finally:
        ours.close()
        process.join()


def _serve(connection: Connection, function: Callable[..., Seconds], arguments: Any) -> None:
    allocator.keep_freed_memory()
    measure = function(*arguments)
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        connection.send(measure())


def _measure(
    connection: Connection, function: Callable[..., Callable[[], object]], arguments: Any
) -> None:
    action = function(*arguments)
    if _RESET.is_file():
        _RESET.write_text("5", encoding="ascii")  # the peak so far is what preparing took
    before, began = peak_bytes(), time.perf_counter()
    action()
    connection.send(Usage(time.perf_counter() - began, peak_bytes() - before))


def peak_bytes() -> int:
    """This process's largest resident memory so far."""
    # Linux hands getrusage's maximum on from a parent to the programs that it starts
    if _STATUS.is_file():
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
