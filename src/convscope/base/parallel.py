"""Work on many batches side by side on a CPU, one thread each, with the same bits for any number.

torch shares an operation's work between threads, which pays for large operations only and makes the
bits depend on their number; batches of their own keep all processors busy whatever their size.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], device: torch.device
) -> Iterator[Result]:
    """Do some work with every item, without gradients.

    Args:
        work: A function of tensors in and out; on a CPU it is called from several threads at once.
        items: Drawn as they are needed, a few ahead.
        device: Where the work computes. On a CPU each call has one thread, and as many calls run
            at a time as torch may use threads; elsewhere one call runs after another.

    Yields:
        The results, in the order of the items.
    """

    def apart(item: Item) -> Result:
        with torch.inference_mode():  # a thread has a mode of its own
            return work(item)

    threads = torch.get_num_threads() if device.type == "cpu" else 1
    if threads == 1:
        yield from map(apart, items)
        return
    waiting: deque[Future[Result]] = deque()
    with _one_thread_each(), ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(apart, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let torch's operations use one thread, then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
