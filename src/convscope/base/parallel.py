"""Compute many batches at a time on a CPU, with the same bits for any number of threads.

torch shares an operation's work between threads, which pays for large operations only and makes the
bits depend on their number; batches of their own keep all processors busy whatever their size.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], device: torch.device
) -> Iterator[Result]:
    """Yield the results of some work on every item, without gradients, in the items' order.

    Items are drawn as they are needed, a few ahead. On a CPU each call has one thread, and as many
    run at a time as torch may use threads; on another device one call runs after another.
    """

    def result(item: Item) -> Result:
        with torch.inference_mode():  # a thread has a mode of its own
            return work(item)

    threads = torch.get_num_threads() if device.type == "cpu" else 1
    if threads == 1:
        yield from map(result, items)
        return
    waiting: deque[Future[Result]] = deque()
    torch.set_num_threads(1)
    # a new thread's first matrix product would have the threads of the process
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for item in items:
            waiting.append(pool.submit(result, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
