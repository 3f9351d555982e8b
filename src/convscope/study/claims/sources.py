"""Where a rule finds its numbers: the files below reports/, or what the study published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from convscope.base import files
from convscope.base.paths import command_of
from convscope.base.report_folder import Finished
from convscope.study import published


class NotMeasuredError(Exception):
    """A source lacks what a rule needs; the message says what, and how to make it."""


class Source(Protocol):
    """Tables by the names of our files below reports/, without their ending."""

    def table(self, name: str) -> pd.DataFrame:
        """A table, such as ``"train/net1/by_kernel_size"``.

        Raises:
            NotMeasuredError: The source has no such table.
            UserError: The table's file is damaged.
        """

    def params(self, stage: str) -> dict[str, Any]:
        """The parameters that a stage used, such as ``"occlusion"``; raises the same."""


class Reports:
    """The files that finished stages left.

    Args:
        folder: The folder reports/.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def table(self, name: str) -> pd.DataFrame:
        """The table in ``name``.csv."""
        folder, file = self._existing(f"{name}.csv")
        return folder.table(file)

    def params(self, stage: str) -> dict[str, Any]:
        """The mapping in the stage's params.json."""
        return self.json(f"{stage}/params")

    def json(self, name: str) -> dict[str, Any]:
        """The mapping in ``name``.json; raises what ``table`` raises."""
        folder, file = self._existing(f"{name}.json")
        return folder.json(file)

    def _existing(self, path: str) -> tuple[Finished, str]:
        """The folder that a file lies in, and the file's name without its ending."""
        name, _, file = path.rpartition("/")
        folder = Finished(self._folder, name)
        if not folder.has(file):
            raise NotMeasuredError(f"reports/{path} is missing: run `convscope {folder.command}`")
        return folder, file.partition(".")[0]


class Study:
    """The study's own numbers, under the same names."""

    def table(self, name: str) -> pd.DataFrame:
        """The published table."""
        try:
            return published.table(name)
        except KeyError:
            raise NotMeasuredError(f"the study printed no table {name}") from None

    def params(self, stage: str) -> dict[str, Any]:
        """What the study's analyses used: net4, the filters set to zero, and 20 top images."""
        used: dict[str, Any] = {"analysis": {"net": "net4"}}
        if stage == "filter-ablation":
            filters = published.study()["filter_ablation"]["filters"]
            return {**used, "filter_ablation": {"filters": filters}}
        if stage == "filter-identify":
            return {**used, "filter_identify": {"top_k": 20}}
        return used


def columns(
    source: Source, name: str, numbers: Sequence[str], labels: Sequence[str] = ()
) -> pd.DataFrame:
    """Some columns of a table that has rows.

    Args:
        source: Where the table is.
        name: Its name.
        numbers: Columns of finite numbers.
        labels: Columns of anything.

    Raises:
        NotMeasuredError: The source has no such table, or it has no rows.
        UserError: A column is missing, or holds something that is no finite number.
    """
    table, path = source.table(name), Path("reports", f"{name}.csv")
    if absent := [column for column in (*labels, *numbers) if column not in table]:
        raise files.damaged(path, command_of(name), f"it has no column {absent[0]}")
    if table.empty:
        raise NotMeasuredError(f"{path} has no rows")
    files.require_finite(table, numbers, path, command_of(name))
    return table[[*labels, *numbers]]
