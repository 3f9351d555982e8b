"""The progress of long work: lines and a bar on a terminal, a line a minute in a log."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tqdm import tqdm

LOG_SECONDS = 60.0
# what is taken for the width of a terminal that does not know its own
COLUMNS = 80
# a narrower one shows what matters most first, since the rest is cut
WIDE = 120
NARROW = "{percentage:.0f} %, {remaining} left, {desc}: {n_fmt}/{total_fmt}{postfix}"


def say(text: str) -> None:
    """Print a line on standard error, above its bar, where that is a terminal."""
    if sys.stderr.isatty():
        tqdm.write(text, file=sys.stderr)


class _Bar(tqdm):  # type: ignore[misc]
    """A bar that fits any terminal."""

    nrows: int | None

    @staticmethod
    def format_meter(
        n: float, total: float | None, elapsed: float, ncols: int | None = None, **options: Any
    ) -> str:
        """One line, at most as wide as the terminal."""
        if ncols is not None:
            ncols = ncols if ncols > 0 else COLUMNS
            if total and ncols < WIDE:
                options["bar_format"] = NARROW
        return str(tqdm.format_meter(n, total, elapsed, ncols=ncols, **options))

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Show the line, also where the terminal does not know its height."""
        if (self.nrows or 1) < 1:
            self.nrows = None
        return bool(super().display(msg, pos))


def _bar(**options: Any) -> Any:
    """A bar on standard error, disabled where that is not a terminal."""
    return _Bar(disable=None, dynamic_ncols=True, **options)


class GridProgress:
    """Follows a grid: runs finished, the last epoch's accuracy, epochs a second, time left."""

    def __init__(self, title: str, runs: int, epochs: int) -> None:
        self._title, self._runs, self._epochs = title, runs, epochs
        self._seen: dict[str, int] = {}
        self._last: dict[str, str] = {}
        self._trained = 0
        self._best = 0.0
        self._started = self._logged = time.monotonic()
        self._bar = _bar(total=runs * epochs, desc=title, unit="epoch")

    def run_started(self, run_id: str, run: Mapping[str, object]) -> None:  # noqa: ARG002
        """Expect the run's epochs."""
        self._seen[run_id] = 0

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """Show the epoch."""
        number = int(row["epoch"])
        self._reuse(run_id, number - 1)
        self._bar.update()
        self._seen[run_id] = number
        self._trained += 1
        # the accuracy that selects the best epoch, where held-out images do
        selects = "validation" if "validation_accuracy" in row else "test"
        accuracy = row[f"{selects}_accuracy"]
        self._best = max(self._best, accuracy)
        self._last[run_id] = f"{selects} accuracy {accuracy:.4f}"
        text = (
            f"{self._place(run_id)}, epoch {number} of {self._epochs}: "
            f"{self._last[run_id]} (best {self._best:.4f})"
        )
        self._bar.set_postfix_str(text)
        if self._bar.disable and time.monotonic() - self._logged > LOG_SECONDS:
            self._logged = time.monotonic()
            epochs_left = self._runs * self._epochs - sum(self._seen.values())
            left = (self._logged - self._started) / self._trained * epochs_left
            print(f"{self._title}: {text}, about {left:.0f} s left", file=sys.stderr, flush=True)

    def run_finished(self, run_id: str) -> None:
        """Count all of the run's epochs, reused ones too, and say what came of it."""
        self._reuse(run_id, self._epochs)
        found = self._last.get(run_id, "kept from an earlier attempt")
        say(f"{self._title}: {self._place(run_id)}, {run_id}: {found}")

    def close(self) -> None:
        """Leave the last state of the bar."""
        self._bar.close()

    def _place(self, run_id: str) -> str:
        return f"run {list(self._seen).index(run_id) + 1} of {self._runs}"

    def _reuse(self, run_id: str, epochs: int) -> None:
        """Count a run's epochs of earlier attempts, which say nothing of the time to come."""
        reused = epochs - self._seen[run_id]
        self._seen[run_id] = epochs
        if reused and not self._bar.disable:
            self._bar.initial += reused
            self._bar.n += reused
            self._bar.last_print_n += reused
            self._bar.refresh()


def download_bar() -> Callable[[str, int, int | None], None]:
    """A progress function for ``archives.fetch``: of url, bytes so far and bytes in all."""
    bars: dict[str, Any] = {}

    def show(url: str, done: int, total: int | None) -> None:
        if url not in bars:
            name = url.rsplit("/", 1)[-1].split("?")[0]
            bars[url] = _bar(total=total, desc=name, unit="B", unit_scale=True)
        bars[url].update(done - bars[url].n)
        if done == total:
            bars[url].close()

    return show


def counter(title: str, unit: str) -> Callable[[int, int], None]:
    """A progress function, of (done, total) units, for work that begins now."""
    bar: Any = None
    started = logged = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal bar, logged
        if bar is None:
            bar = _bar(total=total, desc=title, unit=unit, leave=False)
        bar.update(done - bar.n)
        now = time.monotonic()
        if bar.disable and 0 < done < total and now - logged >= LOG_SECONDS:
            logged = now
            left = (now - started) / done * (total - done)
            text = f"{title}: {done:,}/{total:,} {unit}, about {left:.0f} s left"
            print(text, file=sys.stderr, flush=True)
        if done >= total:
            bar.close()

    return show
