"""A stage's report folder: written whole, numbers before figures, and read back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from convscope.base import files, paths
from convscope.base.errors import UserError

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
    with files.atomic_folder(folder) as partial:
        report = Report(partial)
        report.json("params", dict(params))
        yield report


@dataclass(frozen=True)
class Finished:
    """The report folder of a stage that has run; errors name the command that makes its files.

    Attributes:
        reports: The folder reports/.
        name: The stage's folder below it, such as ``train/net1``.
    """

    reports: Path
    name: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.reports / self.name

    @property
    def command(self) -> str:
        """What makes it, as the command line names it: ``train net1``."""
        return paths.command_of(self.name)

    def require(self) -> "Finished":
        """Itself.

        Raises:
            UserError: The folder is not there.
        """
        if not self.path.is_dir():
            raise UserError(
                f"{self.path} is missing: run `convscope {self.command}` (or `dvc repro`)"
            )
        return self

    def has(self, file: str) -> bool:
        """Whether the stage wrote a file."""
        return (self.path / file).is_file()

    def table(self, name: str) -> "pd.DataFrame":
        """The table ``name``.csv.

        Raises:
            UserError: The file is missing, or is not a whole table.
        """
        return files.read_csv(self.path / f"{name}.csv", self.command)

    def json(self, name: str) -> dict[str, Any]:
        """The mapping ``name``.json.

        Raises:
            UserError: The file is missing, or does not hold a mapping.
        """
        content = files.read_json(self.path / f"{name}.json", self.command)
        if not isinstance(content, dict):
            raise self.damaged(f"{name}.json", "it does not hold a mapping")
        return content

    @cached_property
    def params(self) -> dict[str, Any]:
        """The parameters that the stage used; raises what ``json`` raises."""
        return self.json("params")

    def damaged(self, file: str, why: str) -> UserError:
        """The error for one of its files that is not what the stage writes."""
        return files.damaged(self.path / file, self.command, why)

    @property
    def stage(self) -> str:
        """The stage as DVC names it: ``train@net1``."""
        return paths.stage_of(self.path.name) if self.name.startswith("train/") else self.name

    @classmethod
    def all(cls, reports: Path) -> "list[Finished]":
        """The folders of all stages that have run, in order of their paths."""
        found = [*reports.glob("[a-z]*/params.json"), *reports.glob("train/[a-z]*/params.json")]
        return [cls(reports, path.parent.relative_to(reports).as_posix()) for path in sorted(found)]
