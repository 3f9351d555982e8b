"""The runs of a grid: train those that are not finished, and put them together in grid order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from convscope.base import files
from convscope.base.paths import BEST, HISTORY, RUN, WEIGHTS
from convscope.training import trainer
from convscope.training.executor import Event, Job, train_side_by_side
from convscope.training.run import Run, Settings

STORE = Path(".convscope/runs")


class Observer(Protocol):
    """Somebody who is told how a grid goes on; nothing of a result depends on it."""

    def run_started(self, run_id: str, run: Mapping[str, object]) -> None:
        """A run begins, or goes on after an interruption."""

    def epoch(self, run_id: str, row: Mapping[str, float]) -> None:
        """A run finished an epoch; ``row`` is its row of history.csv."""

    def run_finished(self, run_id: str) -> None:
        """A run is whole, just now or in an earlier attempt."""


def runs(
    net: str,
    points: Iterable[Mapping[str, float]],
    seeds: Sequence[int],
    settings: Settings,
    data: str,
) -> list[Run]:
    """The runs of a grid in the study's order; further seeds repeat the whole grid.

    Args:
        net: A key of ``nets.NETS``.
        points: The grid's points, in order.
        seeds: Every point is trained once for each.
        settings: What the runs share.
        data: The data set's fingerprint.
    """
    points = list(points)
    return [Run(net, {**point, "seed": seed}, settings, data) for seed in seeds for point in points]


def store_folder(run: Run) -> Path:
    """Where a run is kept from its first epoch on, whatever grid it belongs to.

    DVC empties a stage's outputs before it runs the stage; the store outlives that, so an
    interrupted run goes on and a finished one is never trained again.
    """
    return STORE / run.fingerprint


def complete(grid: Sequence[Run], dataset: Path, observers: Sequence[Observer] = ()) -> None:
    """Train the runs of a grid that are not finished yet.

    Args:
        grid: The runs.
        dataset: The data set's file, for the processes that train.
        observers: Told of every run and epoch.

    Raises:
        UserError: A run cannot be trained (its loss is no number, a process was killed).
    """
    by_id = {run.id: run for run in grid}

    def tell(event: Event) -> None:
        for observer in observers:
            if event.row is not None:
                observer.epoch(event.run_id, event.row)
            elif event.finished:
                observer.run_finished(event.run_id)
            else:
                observer.run_started(event.run_id, describe(by_id[event.run_id]))

    train_side_by_side(_unfinished(grid, tell), dataset, tell)


def _unfinished(grid: Sequence[Run], tell: Callable[[Event], None]) -> list[Job]:
    """The runs to train, each with an emptied folder; the others are told of as finished."""
    waiting = []
    for run in grid:
        if trainer.is_finished(run, store_folder(run)):
            tell(Event(run.id))
            tell(Event(run.id, finished=True))
        else:
            # what is left of a damaged run must not be taken for part of a new one
            for name in (RUN, HISTORY, WEIGHTS):
                (store_folder(run) / name).unlink(missing_ok=True)
            waiting.append((run, store_folder(run)))
    return waiting


def describe(run: Run) -> dict[str, object]:
    """What identifies a run, before it is trained."""
    return {
        "net": run.net,
        "point": run.point,
        "settings": run.settings.effective(),
        "fingerprint": run.fingerprint,
    }


def assemble(grid: Sequence[Run], folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Copy the finished runs of a grid into a model folder, and write what they say together.

    Args:
        grid: The runs, in order.
        folder: The model folder; it appears whole, in place of an earlier one.

    Returns:
        The folder's history.csv, one row an epoch, runs numbered from 1 in grid order; and its
        best.json, the best run with its place in the grid.
    """
    with files.atomic_folder(folder) as partial:
        histories = []
        for number, run in enumerate(grid, start=1):
            target = partial / "runs" / run.id
            for name in (RUN, HISTORY, WEIGHTS):
                files.copy(store_folder(run) / name, target / name)
            history = files.read_csv(target / HISTORY, f"train {run.net}")
            history.insert(0, "run", number)
            histories.append(history)
        history = pd.concat(histories, ignore_index=True)
        files.write_csv(partial / HISTORY, history)
        best = _best(grid, partial)
        files.write_json(partial / BEST, best)
    return history, best


def _best(grid: Sequence[Run], folder: Path) -> dict[str, Any]:
    """The run whose best epoch has the highest accuracy of the kind that selects; earliest wins."""
    found = [
        (number, run.id, files.read_json(folder / "runs" / run.id / RUN, "train"))
        for number, run in enumerate(grid, start=1)
    ]
    key = f"{grid[0].settings.select_on}_accuracy"
    number, run_id, best = max(found, key=lambda item: item[2]["best"][key])
    return {"run": number, "id": run_id, **best}
