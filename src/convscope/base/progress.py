"""Tell a person how long work goes on: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tqdm import tqdm

LOG_SECONDS = 30.0
COUNTER_SECONDS = 10.0


class GridProgress:
    """Follows a grid: runs finished, the last epoch's accuracy, epochs a second, time left."""

    def __init__(self, title: str, runs: int, epochs: int) -> None:
        self._title, self._runs, self._epochs = title, runs, epochs
        self._numbers: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._trained = 0
        self._best = 0.0
        self._started = self._told = time.monotonic()
        self._bar = tqdm(
            total=runs * epochs,
            desc=title,
            unit="epoch",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
        )

    def run_started(self, run_id: str, run: Mapping[str, object]) -> None:  # noqa: ARG002
        """Number the run."""
        self._numbers[run_id] = len(self._numbers) + 1
        self._seen[run_id] = 0

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """Show the epoch."""
        number = int(row["epoch"])
        self._reuse(run_id, number - 1)
        self._bar.update()
        self._seen[run_id] = number
        self._trained += 1
        # the accuracy that chooses the best epoch, where held-out images do
        chooses = "validation" if "validation_accuracy" in row else "test"
        accuracy = row[f"{chooses}_accuracy"]
        self._best = max(self._best, accuracy)
        words = (
            f"run {self._numbers[run_id]} of {self._runs}, epoch {number} of {self._epochs}: "
            f"{chooses} accuracy {accuracy:.4f} (best {self._best:.4f})"
        )
        self._bar.set_postfix_str(words)
        if self._bar.disable and time.monotonic() - self._told > LOG_SECONDS:
            self._told = time.monotonic()
            print(f"{self._title}: {words}{self._left()}", file=sys.stderr, flush=True)

    def run_finished(self, run_id: str) -> None:
        """Count all of the run's epochs, reused ones too."""
        self._reuse(run_id, self._epochs)

    def close(self) -> None:
        """Leave the last state of the bar."""
        self._bar.close()

    def _reuse(self, run_id: str, epochs: int) -> None:
        """Count a run's epochs of earlier attempts, which say nothing of the time to come."""
        reused = epochs - self._seen[run_id]
        self._seen[run_id] = epochs
        if reused and not self._bar.disable:
            self._bar.initial += reused
            self._bar.n += reused
            self._bar.last_print_n += reused
            self._bar.refresh()

    def _left(self) -> str:
        seconds = (time.monotonic() - self._started) / self._trained
        left = self._runs * self._epochs - sum(self._seen.values())
        return f", about {seconds * left:.0f} s left"


def download_bar() -> Callable[[str, int, int | None], None]:
    """A progress function for downloads, as ``archives.fetch`` calls it.

    Returns:
        A function of (url, bytes so far, bytes in all if known), silent when standard error is no
        terminal.
    """
    bars: dict[str, Any] = {}

    def tell(url: str, done: int, total: int | None) -> None:
        if url not in bars:
            bars[url] = tqdm(
                total=total,
                desc=url.rsplit("/", 1)[-1].split("?")[0],
                unit="B",
                unit_scale=True,
                disable=None,
                dynamic_ncols=True,
            )
        bars[url].update(done - bars[url].n)
        if done == total:
            bars[url].close()

    return tell


def counter(title: str, unit: str) -> Callable[[int, int], None]:
    """A progress function for work of a known size that begins now.

    Args:
        title: What is going on.
        unit: What is counted.

    Returns:
        A function of (done, total): a bar on a terminal, else a line every ``COUNTER_SECONDS`` at
        most.
    """
    bar: Any = None
    started = told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal bar, told
        if bar is None:
            bar = tqdm(
                total=total,
                desc=title,
                unit=unit,
                disable=not sys.stderr.isatty(),
                dynamic_ncols=True,
                leave=False,
            )
        bar.update(done - bar.n)
        now = time.monotonic()
        if bar.disable and 0 < done < total and now - told >= COUNTER_SECONDS:
            told = now
            left = (now - started) / done * (total - done)
            words = f"{title}: {done:,}/{total:,} {unit}, about {left:.0f} s left"
            print(words, file=sys.stderr, flush=True)
        if done >= total:
            bar.close()

    return tell
