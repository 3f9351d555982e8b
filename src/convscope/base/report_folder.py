"""A stage's report folder: written completely or not at all, and read back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pandas as pd

from convscope.base import files, paths
from convscope.base.errors import UserError

T = TypeVar("T")


class Drawn(Protocol):
    """A figure."""

    def write(self, path: Path) -> None:
        """Write the figure as PNG, completely or not at all."""


@dataclass(frozen=True)
class MadeFrom:
    """What a stage's results were made from, but for its parameters.

    Attributes:
        data: The data set's fingerprint.
        runs: By network, the fingerprint of the best run that was read or trained.
        computed_on: The kinds of processors that computed, as ``kernels.computed_on`` names them;
            several where runs of a grid were trained on others.
    """

    data: str
    runs: Mapping[str, str] = field(default_factory=dict)
    computed_on: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """A stage's report folder while it is made."""

    folder: Path

    def table(self, name: str, frame: pd.DataFrame) -> None:
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
def reporting(folder: Path, params: Mapping[str, Any], made_from: MadeFrom) -> Iterator[Report]:
    """Make a report folder completely or not at all.

    ``params``, those used, go to params.json, and what else it was made from to made_from.json.
    """
    with files.atomic_folder(folder) as partial:
        report = Report(partial)
        report.json("params", dict(params))
        report.json("made_from", asdict(made_from))
        yield report


@dataclass(frozen=True)
class Finished:
    """The report folder of a stage that has run, by its name below reports/: ``train/net1``.

    A file that is missing or damaged is a UserError, which names the command that makes it. What
    was read is not read again.
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
        """Itself; a UserError if the folder is not there."""
        if not self.path.is_dir():
            raise UserError(
                f"{self.path} is missing: run `convscope {self.command}` (or `dvc repro`)"
            )
        return self

    @property
    def exists(self) -> bool:
        """Whether the stage has run."""
        return self.has("params.json")

    def has(self, file: str) -> bool:
        """Whether the stage wrote a file."""
        return (self.path / file).is_file()

    def named(self, pattern: str) -> list[str]:
        """The names, without their endings, of the files that match a pattern, sorted."""
        return sorted(path.stem for path in self.path.glob(pattern))

    def table(
        self,
        name: str,
        columns: Sequence[str] = (),
        *,
        numbers: Sequence[str] = (),
        gaps: Sequence[str] = (),
    ) -> pd.DataFrame:
        """The table ``name``.csv.

        Args:
            name: The file's name without its ending.
            columns: Those that it must have.
            numbers: The same, of columns that hold a number in every row.
            gaps: The same, of columns that hold numbers and may lack some.

        Raises:
            UserError: The file is missing, is not a complete table, or has other columns.
        """
        path = self.path / f"{name}.csv"
        if name not in self._tables:
            self._tables[name] = files.read_csv(path, self.command)
        frame = self._tables[name].copy(deep=False)
        for column in (*columns, *numbers, *gaps):
            if column not in frame:
                raise self.damaged(path.name, f"it has no column {column}")
        files.require_finite(frame, numbers, path, self.command)
        for column in gaps:
            files.require_finite(frame[[column]].dropna(), [column], path, self.command)
        return frame

    def filled(
        self, name: str, columns: Sequence[str] = (), **kinds: Sequence[str]
    ) -> pd.DataFrame:
        """The same, with the same arguments, of a table that is never without rows."""
        frame = self.table(name, columns, **kinds)
        if frame.empty:
            raise self.damaged(f"{name}.csv", "it has no rows")
        return frame

    def json(self, name: str) -> dict[str, Any]:
        """The mapping ``name``.json."""
        content = files.read_json(self.path / f"{name}.json", self.command)
        if not isinstance(content, dict):
            raise self.damaged(f"{name}.json", "it does not hold a mapping")
        return content

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        return {}  # by name; a caller gets a copy, which pandas makes where it is written to

    @cached_property
    def params(self) -> dict[str, Any]:
        """The parameters that the stage used."""
        return self.json("params")

    @cached_property
    def made_from(self) -> MadeFrom:
        """What its results were made from."""
        stated = self.json("made_from")
        try:
            found = MadeFrom(**stated)
            texts: list[object] = [found.data, *found.computed_on, *found.runs.values()]
        except (AttributeError, TypeError):
            texts = [None]
        if not all(isinstance(text, str) for text in texts):
            raise self.damaged("made_from.json", "it does not say what the results are made from")
        return found

    @property
    def sections(self) -> dict[str, dict[str, Any]]:
        """``params`` by section, each of which holds a mapping; without ``kernels``."""
        sections = {name: held for name, held in self.params.items() if name != "kernels"}
        for name, section in sections.items():
            if not isinstance(section, dict):
                raise self.damaged("params.json", f"its {name} is not a mapping")
        return sections

    def param(self, section: str, key: str, kind: type[T]) -> T | None:
        """A parameter that the stage used; None if it is null or was not used.

        Raises:
            UserError: params.json is missing or damaged, or the value is of another type.
        """
        found = self.sections.get(section, {}).get(key)
        if found is not None and not isinstance(found, kind):
            raise self.damaged("params.json", f"its {section}.{key} is of the wrong type")
        return found

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
