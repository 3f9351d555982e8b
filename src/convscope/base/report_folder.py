"""A stage's report folder: its numbers, and the figures drawn of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from convscope.base import files

if TYPE_CHECKING:
    import pandas as pd


class Drawn(Protocol):
    """A figure that can write itself as PNG."""

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""


class Report:
    """A stage's report folder while it is made: numbers first, then the figures drawn of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, name: str, frame: "pd.DataFrame") -> None:
        """Write a table as ``name``.csv."""
        files.write_csv(self.folder / f"{name}.csv", frame)

    def json(self, name: str, value: Any) -> None:
        """Write a document as ``name``.json."""
        files.write_json(self.folder / f"{name}.json", value)

    def metrics(self, values: Mapping[str, float]) -> None:
        """Write the stage's few headline numbers, which MLflow and ``dvc metrics`` show."""
        self.json("metrics", dict(values))

    def figure(self, name: str, figure: Drawn) -> None:
        """Write a figure as ``name``.png."""
        figure.write(self.folder / f"{name}.png")


@contextmanager
def reporting(folder: Path, params: Mapping[str, Any]) -> Iterator[Report]:
    """Make a stage's report folder, whole or not at all.

    Args:
        folder: For example ``reports/occlusion``.
        params: The parameters that the stage used, kept as params.json.

    Yields:
        The report, to be filled.
    """
    with files.replacing_folder(folder) as partial:
        report = Report(partial)
        report.json("params", dict(params))
        yield report
