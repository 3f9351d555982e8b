"""The runs of a grid: train those that are not finished, and put them together in grid order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from convscope.base import files
from convscope.base.paths import BEST, HISTORY, KEPT_RUNS, RUN, RUN_FILES
from convscope.training import trainer
from convscope.training.checkpoints import CHECKPOINT
from convscope.training.cluster import driver as cluster
from convscope.training.executor import Event, Job, train_side_by_side
from convscope.training.run import Run


class Observer(Protocol):
    """Something that follows a grid; nothing of a result depends on it."""

    def run_started(self, run_id: str, run: Mapping[str, object]) -> None:
        """A run begins, or goes on after an interruption."""

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """A run finished an epoch; ``row`` is its row of history.csv."""

    def run_finished(self, run_id: str) -> None:
        """A run is complete, just now or in an earlier attempt."""


def store_folder(run: Run) -> Path:
    """Where a run is kept from its first epoch on, whatever grid it belongs to.

    DVC empties a stage's outputs before it runs the stage; the store outlives that, so an
    interrupted run goes on and a finished one is never trained again.
    """
    return KEPT_RUNS / run.fingerprint


def complete(grid: Sequence[Run], dataset: Path, observers: Sequence[Observer] = ()) -> None:
    """Train the runs of a grid that are not finished yet, on a data set's file.

    Raises:
        UserError: A run cannot be trained (its loss is not finite, a process was killed).
    """
    described = {
        run.id: {
            "net": run.net,
            "point": run.point,
            "settings": run.settings.effective(),
            "fingerprint": run.fingerprint,
        }
        for run in grid
    }

    def tell(event: Event) -> None:
        for observer in observers:
            if event.row is not None:
                observer.epoch(event.run_id, event.row)
            elif event.finished:
                observer.run_finished(event.run_id)
            else:
                observer.run_started(event.run_id, described[event.run_id])

    waiting: list[Job] = []
    for run in grid:
        folder = store_folder(run)
        if trainer.is_finished(run, folder):
            (folder / CHECKPOINT).unlink(missing_ok=True)  # if another than this one finished it
            tell(Event(run.id))
            tell(Event(run.id, finished=True))
        else:
            # what is left of a damaged run must not be taken for part of a new one
            for name in RUN_FILES:
                (folder / name).unlink(missing_ok=True)
            waiting.append((run, folder))
    train = cluster.train if cluster.address() else train_side_by_side
    train(waiting, dataset, tell)


@dataclass(frozen=True)
class Assembled:
    """What a model folder holds of all runs together.

    Attributes:
        history: history.csv, one row an epoch, runs numbered from 1 in grid order.
        best: best.json, the earliest run whose best epoch has the highest accuracy of the kind
            that selects, with its place in the grid.
        computed_on: The kinds of processors that trained the runs, sorted.
    """

    history: pd.DataFrame
    best: dict[str, Any]
    computed_on: list[str]


def assemble(grid: Sequence[Run], folder: Path) -> Assembled:
    """Copy the finished runs of a grid into a model folder, in place of an earlier one."""
    made_by = f"train {grid[0].net}"
    histories, documents = [], []
    with files.atomic_folder(folder) as partial:
        for number, run in enumerate(grid, start=1):
            target = partial / "runs" / run.id
            for name in RUN_FILES:
                files.copy(store_folder(run) / name, target / name)
            history = files.read_csv(target / HISTORY, made_by)
            history.insert(0, "run", number)
            histories.append(history)
            document = files.read_json(target / RUN, made_by)
            documents.append({"run": number, "id": run.id, **document})
        history = pd.concat(histories, ignore_index=True)
        files.write_csv(partial / HISTORY, history)
        selecting = f"{grid[0].settings.select_on}_accuracy"
        best = max(documents, key=lambda document: document["best"][selecting])
        files.write_json(partial / BEST, best)
    computed_on = {kind for document in documents for kind in document["computed_on"]}
    return Assembled(history, best, sorted(computed_on))
