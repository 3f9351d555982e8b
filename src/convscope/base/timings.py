"""How long runs took: kept in logs/timings.csv, which DVC does not track.

Durations differ from run to run, so they stay out of every output; MLflow gets them from here.
"""

import csv
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

TIMINGS = Path("logs/timings.csv")
COLUMNS = ("stage", "run", "fingerprint", "seconds", "device")


def record(stage: str, run: str, fingerprint: str, seconds: float, device: str) -> None:
    """Add a line; ``run`` is empty for a stage."""
    TIMINGS.parent.mkdir(parents=True, exist_ok=True)
    with TIMINGS.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if stream.tell() == 0:
            writer.writerow(COLUMNS)
        writer.writerow((stage, run, fingerprint, f"{seconds:.3f}", device))


class Timings:
    """An observer of a grid that records how long each run was trained, in this attempt."""

    def __init__(self, stage: str, device: str) -> None:
        self._stage, self._device = stage, device
        self._started: dict[str, tuple[float, str]] = {}
        self._trained: set[str] = set()

    def run_started(self, run_id: str, run: Mapping[str, object]) -> None:
        """Start the run's clock."""
        self._started[run_id] = time.monotonic(), str(run["fingerprint"])

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:  # noqa: ARG002
        """Note that the run is trained, not reused."""
        self._trained.add(run_id)

    def run_finished(self, run_id: str) -> None:
        """Record the run, unless it was reused."""
        if run_id in self._trained:
            began, fingerprint = self._started[run_id]
            seconds = time.monotonic() - began
            record(self._stage, run_id, fingerprint, seconds, self._device)


def read(path: Path) -> pd.DataFrame:
    """The complete lines of logs/timings.csv, none if it is not there: it only informs."""
    try:
        log = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            na_values={"device": [""]},  # of a line that was cut short by a kill
            encoding_errors="replace",
            on_bad_lines="skip",
        )
    except (OSError, ValueError):
        log = pd.DataFrame()
    log = log.reindex(columns=COLUMNS)
    seconds = pd.to_numeric(log["seconds"], errors="coerce")
    return log.assign(seconds=seconds.where(np.isfinite(seconds))).dropna()
