"""When runs were made and how long they took: kept in logs/timings.csv, which DVC does not track.

Times differ from run to run, so they stay out of every output; MLflow gets them from here.
"""

import csv
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TIMINGS = Path("logs/timings.csv")
COLUMNS = ("stage", "run", "fingerprint", "seconds", "device", "started")
_WHEN = "%Y-%m-%dT%H:%M:%S.%fZ"


def record(stage: str, run: str, fingerprint: str, seconds: float, device: str) -> None:
    """Add a line for what has just ended; ``run`` is empty for a stage."""
    started = datetime.now(UTC) - timedelta(seconds=seconds)
    TIMINGS.parent.mkdir(parents=True, exist_ok=True)
    with TIMINGS.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if stream.tell() == 0:
            writer.writerow(COLUMNS)
        writer.writerow((stage, run, fingerprint, f"{seconds:.3f}", device, f"{started:{_WHEN}}"))


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


def read(path: Path) -> "pd.DataFrame":
    """The complete lines of logs/timings.csv, none if it is not there: it only informs.

    ``started`` is a time of UTC; NaT where a line, of an earlier version, does not say.
    """
    import numpy as np
    import pandas as pd

    try:
        log = pd.read_csv(
            path,
            header=None,
            names=COLUMNS,
            dtype=str,
            keep_default_na=False,
            na_values={"device": [""]},  # of a line that was cut short by a kill
            encoding_errors="replace",
            on_bad_lines="skip",
        )
    except (OSError, ValueError):
        log = pd.DataFrame(columns=COLUMNS, dtype=str)
    seconds = pd.to_numeric(log["seconds"], errors="coerce")
    log = log.assign(
        seconds=seconds.where(np.isfinite(seconds)),
        started=pd.to_datetime(log["started"], format=_WHEN, errors="coerce", utc=True),
    )
    return log.dropna(subset=[name for name in COLUMNS if name != "started"])
