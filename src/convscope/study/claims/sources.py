"""Where a rule finds its numbers: the files below reports/, or what the study published."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from convscope.base.report_folder import Finished
from convscope.study import published


class NotMeasuredError(Exception):
    """A source lacks what a rule needs; the message says what, and how to make it."""


class Reports:
    """The files that finished stages left, by their paths below reports/ without the ending."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def table(self, name: str, *columns: Sequence[str], **kinds: Sequence[str]) -> pd.DataFrame:
        """A table, such as ``"train/net1/by_kernel_size"``, with the columns that it must have.

        Raises:
            NotMeasuredError: There is no such table.
            UserError: Its file is damaged, as ``Finished.table`` has it.
        """
        return self._holding(f"{name}.csv").table(Path(name).name, *columns, **kinds)

    def json(self, name: str) -> dict[str, Any]:
        """The mapping in a JSON file; raises what ``table`` raises."""
        return self._holding(f"{name}.json").json(Path(name).name)

    def params(self, stage: str) -> dict[str, dict[str, Any]]:
        """The parameters that a stage used, such as ``"occlusion"``; raises the same."""
        return self._holding(f"{stage}/params.json").sections

    def zeroed_filters(self) -> list[str]:
        """The filters that were ablated together; raises the same."""
        return zeroed_filters(self._holding("filter-ablation/params.json"))

    def _holding(self, path: str) -> Finished:
        name, _, file = path.rpartition("/")
        folder = Finished(self._folder, name)
        if not folder.has(file):
            raise NotMeasuredError(f"reports/{path} is missing: run `convscope {folder.command}`")
        return folder


class Study:
    """The study's own numbers, under the same names."""

    def table(self, name: str, *_: object, **__: object) -> pd.DataFrame:
        """The published table; raises ``NotMeasuredError`` where the study printed none."""
        if name not in published.KEYS:
            raise NotMeasuredError(f"the study printed no table {name}")
        return published.table(name)

    def params(self, _: str) -> dict[str, Any]:
        """What the study's analyses used: net4, and 20 top images."""
        top_k = published.study()["filter_identification"]["top_k"]
        return {"analysis": {"net": "net4"}, "filter_identify": {"top_k": top_k}}

    def zeroed_filters(self) -> list[str]:
        """The filters that the study ablated together."""
        return _names(published.study()["filter_ablation"]["filters"])


Source = Reports | Study


def zeroed_filters(ablated: Finished) -> list[str]:
    """The filters that were ablated together, as the tables name them: ``conv1/0``.

    Raises:
        UserError: params.json is missing or damaged.
    """
    filters = ablated.param("filter_ablation", "filters", dict) or {}
    if not all(isinstance(numbers, list) for numbers in filters.values()):
        raise ablated.damaged("params.json", "its filter_ablation.filters is of the wrong type")
    return _names(filters)


def _names(filters: Mapping[str, Sequence[int]]) -> list[str]:
    return [f"{layer}/{number}" for layer, numbers in filters.items() for number in numbers]


def columns(
    source: Source, name: str, numbers: Sequence[str], labels: Sequence[str] = ()
) -> pd.DataFrame:
    """Some columns of a table that has rows: finite numbers, and labels of any kind.

    Raises:
        NotMeasuredError: The source has no such table, or it has no rows.
        UserError: A column is missing, or a number is not finite.
    """
    table = source.table(name, labels, numbers=numbers)
    if table.empty:
        raise NotMeasuredError(f"reports/{name}.csv has no rows")
    return table[[*labels, *numbers]]


def best_of(source: Source, net: str, *wanted: str) -> dict[str, float]:
    """Columns of a network's best.csv, the single (run, epoch) with the highest test accuracy."""
    best = columns(source, f"train/{net}/best", wanted)
    return {column: best[column].tolist()[0] for column in wanted}
