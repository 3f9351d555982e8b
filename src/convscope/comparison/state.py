"""What a state of the project left when its pipeline had run, read leniently.

An earlier state may be of earlier code: what that did not write, or wrote otherwise, is unknown and
left out.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from convscope.base import files, paths, timings
from convscope.base.errors import UserError
from convscope.config import content
from convscope.study.claims.claim import Verdict
from convscope.tracking.records import flatten, numbers

_METRICS = ("[a-z]*/metrics.json", "train/[a-z]*/metrics.json")
_RUNS = f"*/runs/*/{paths.RUN}"
_UNREADABLE = (UserError, OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Judged:
    """A claim as a state's claims.json has it."""

    statement: str
    verdict: Verdict
    why: str
    goal: bool = False


@dataclass(frozen=True)
class State:
    """A folder with the params.yaml, reports, models (without weights) and logs of a state.

    Attributes:
        name: What readers know the state by.
        folder: Where the files are.
        seconds: How long ``dvc repro`` took.
    """

    name: str
    folder: Path
    seconds: float

    @property
    def reports(self) -> Path:
        """Its folder reports/."""
        return self.folder / paths.REPORTS

    @cached_property
    def params(self) -> dict[str, str]:
        """Its parameters by their dotted keys, as JSON."""
        with suppress(*_UNREADABLE):
            return flatten(content.read(self.folder / paths.PARAMS))
        return {}

    @cached_property
    def data(self) -> tuple[str, str]:
        """The name of its data set, and that data set's fingerprint; empty where unknown."""
        found = self._document(self.reports / "download/dataset.json")
        return str(found.get("name", "")), str(found.get("fingerprint", ""))

    @cached_property
    def tested(self) -> pd.DataFrame:
        """By network: test_accuracy and its 95 % interval, low and high, in [0, 1]."""
        columns = ["test_accuracy", "low", "high"]
        with suppress(*_UNREADABLE):
            table = files.read_csv(self.reports / "evaluate/best.csv", "evaluate")
            return table.set_index("net")[columns].astype(float)
        return pd.DataFrame(columns=columns)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The class that each network predicts for each test image, and its label."""
        with suppress(*_UNREADABLE):
            return files.read_csv(self.reports / "evaluate/predictions.csv", "evaluate")
        return pd.DataFrame()

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The headline numbers of its stages, named "occlusion: confidence_3".

        Without the accuracies of ``tested``.
        """
        found = {
            f"{path.parent.name}: {name}": value
            for pattern in _METRICS
            for path in sorted(self.reports.glob(pattern))
            for name, value in numbers(self._document(path)).items()
        }
        told = {f"{net}: test_accuracy" for net in self.tested.index}
        return {name: value for name, value in found.items() if name not in told}

    @cached_property
    def claims(self) -> dict[int, Judged]:
        """The study's findings and this project's goals, judged, by number."""
        with suppress(*_UNREADABLE):
            stated = self._document(self.reports / "claims.json")["claims"]
            return {
                int(claim["number"]): Judged(
                    str(claim["statement"]),
                    Verdict(claim["verdict"]),
                    str(claim["why"]),
                    bool(claim.get("goal")),
                )
                for claim in stated
            }
        return {}

    @cached_property
    def runs(self) -> list[Mapping[str, Any]]:
        """The run.json of every run of its grids, each with net, point, settings and identity."""
        needed = {"net", "point", "settings", "identity", "fingerprint"}
        found = map(self._document, sorted((self.folder / paths.MODELS).glob(_RUNS)))
        return [run for run in found if needed <= run.keys()]

    @cached_property
    def curves(self) -> dict[str, list[float]]:
        """By network, the test accuracy in [0, 1] of its best run after each epoch."""
        return dict(self._curves())

    @cached_property
    def figures(self) -> dict[str, str]:
        """The digest of each figure, by its path in the folder."""
        found = sorted(self.reports.rglob("*.png"))
        return {path.relative_to(self.folder).as_posix(): files.digest(path) for path in found}

    @cached_property
    def log(self) -> pd.DataFrame:
        """What ran, stages and training runs, and for how many seconds."""
        return timings.read(self.folder / timings.TIMINGS)

    def _curves(self) -> Iterator[tuple[str, list[float]]]:
        for path in sorted((self.folder / paths.MODELS).glob(f"*/{paths.BEST}")):
            with suppress(*_UNREADABLE):
                history = files.read_csv(path.parent / paths.HISTORY, "train")
                best = history[history["run"] == self._document(path)["run"]]
                yield path.parent.name, best["test_accuracy"].astype(float).tolist()

    def _document(self, path: Path) -> Mapping[str, Any]:
        """A JSON mapping; an empty one where there is none."""
        with suppress(*_UNREADABLE):
            found = json.loads(path.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
        return {}
