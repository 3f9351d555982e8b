"""Time things in turn, and put their medians beside each other in rows of one table."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import torch

Seconds = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: What was measured, and on how much.
        convscope: What convscope took.
        other: What the other way took; empty where there is none.
        result: The two compared, or what else was found.
        goal: What the result should be; empty where nothing was promised.
        met: Whether it is; None without a goal.
        n: How many measurements each number is the median of; 0 where nothing was measured.
    """

    what: str
    convscope: str = ""
    other: str = ""
    result: str = ""
    goal: str = ""
    met: bool | None = None
    n: int = 0


def clocked(action: Callable[[], object]) -> Seconds:
    """The action as a function that says how many seconds it took."""

    def run() -> float:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    return run


def interleaved(n: int, *actions: Seconds, warm_up: bool = True) -> list[list[float]]:
    """Measure actions in turn (A, B, A, B, ...), so that a slow minute slows all of them.

    Args:
        n: How often to measure each.
        *actions: Functions that return the seconds they took.
        warm_up: Whether to run each once before, unmeasured. A single measurement is a mere try,
            and goes without.

    Returns:
        The n measurements of each action.
    """
    if warm_up and n > 1:
        for action in actions:
            action()
    rounds = [[action() for action in actions] for _ in range(n)]
    return [list(taken) for taken in zip(*rounds, strict=True)]


def faster(what: str, times: Sequence[Sequence[float]], goal: float | None = None) -> Row:
    """A row that says how many times faster convscope is: the ratio of the two medians.

    Args:
        what: What was measured.
        times: The seconds that convscope took, and those that the other way took.
        goal: How many times faster it should be at least.
    """
    ours, other = times
    ratio = median(other) / median(ours)
    return Row(
        what,
        duration(median(ours)),
        duration(median(other)),
        f"{ratio:.2f} times as fast",
        "" if goal is None else f"{goal:g} times",
        None if goal is None else ratio >= goal,
        len(ours),
    )


def below(what: str, ours: Sequence[float], limit: float | None = None) -> Row:
    """A row with convscope's time alone, and the time that it should stay below.

    Args:
        what: What was measured.
        ours: Seconds that it took.
        limit: The seconds that it should take at most.
    """
    return Row(
        what,
        duration(median(ours)),
        goal="" if limit is None else f"below {duration(limit)}",
        met=None if limit is None else median(ours) < limit,
        n=len(ours),
    )


def duration(seconds: float) -> str:
    """Seconds in three digits and the unit that suits them."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def memory(size: float) -> str:
    """A number of bytes in MB."""
    return f"{size / 1e6:,.0f} MB"


def cores(quick: bool) -> int:
    """The threads to use where all are asked for; one when it must be quick, on a busy machine."""
    return 1 if quick else os.cpu_count() or 1


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch use so many CPU threads, then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
