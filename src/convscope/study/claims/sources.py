"""Where a rule finds its numbers: the files below reports/, or what the study published."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from convscope.base.names import AUGMENTED, STUDY, STUDY_MEASURED
from convscope.base.report_folder import Finished
from convscope.study import published

# what takes the place of the usual measures where a network is tested in the study's way
_LIKE_STUDY = dict(zip(("test_accuracy", "overfit_percent"), STUDY_MEASURED, strict=True))


class NotMeasuredError(Exception):
    """A source lacks what a rule needs; the message says what, and how to make it."""


@dataclass(frozen=True)
class Reports:
    """The files that finished stages left, by their paths below reports/ without the ending.

    Attributes:
        finished: A stage's folder by its name; they keep the tables that they read.
        seed: Where several were trained, the one whose files these are; None for those of all.
        as_in_study: The test_accuracy and overfit_percent of networks that the study trained
            on augmented images are what the study's own way of testing gives.
    """

    finished: Callable[[str], Finished]
    seed: int | None = None
    as_in_study: bool = False

    @classmethod
    def below(cls, folder: Path) -> "Reports":
        """Those below a folder ``reports``, of all seeds."""
        return cls(cache(partial(Finished, folder)))

    def like_study(self) -> "Reports":
        """The same files, of networks that are tested in the study's way."""
        return replace(self, as_in_study=True)

    def by_seed(
        self, grids: Sequence[str], one_network: bool = False
    ) -> "list[tuple[int | None, Reports]]":
        """The seeds that all of these grids were trained with, each with its files.

        One, None, where the files do not say; of ``one_network`` the seed of its best run.

        Raises:
            UserError: A file is damaged.
        """
        if one_network:
            return [(self._seed_of_best(grids), self)]
        known = [seeds for grid in grids if (seeds := self._seeds(grid))]
        every = list(dict.fromkeys(seed for seeds in known for seed in seeds))
        shared = [seed for seed in every if all(seed in seeds for seeds in known)]
        # of grids that share none each seed says which grid lacks it
        seeds = shared or every
        found = [(seed, replace(self, seed=seed)) for seed in seeds]
        return [*found] or [(None, self)]

    def _seeds(self, grid: str) -> list[int]:
        """A grid's own, or those of all grids; none where its params.json does not say."""
        with suppress(NotMeasuredError):
            params = self.params(f"train/{grid}")
            found = params.get("net", {}).get("seeds") or params.get("train", {}).get("seeds")
            return [seed for seed in found if isinstance(seed, int)] if found else []
        return []

    def _of_all_seeds(self, grid: str) -> bool:
        """Whether a grid's tables are to be read as they are: it has no other seed's runs."""
        return self.seed is None or self._seeds(grid) in ([], [self.seed])

    def _seed_of_best(self, grids: Sequence[str]) -> int | None:
        """The analyzed run's; None where it is not known which of several was selected."""
        grid, *_ = grids
        if len(seeds := self._seeds(grid)) == 1:
            return seeds[0]
        with suppress(NotMeasuredError):
            found = self.table(f"train/{grid}/best")
            selected = self.params(f"train/{grid}").get("train", {}).get("select_on", "test")
            # best.csv is of the test images
            return int(found["seed"].iloc[0]) if "seed" in found and selected == "test" else None
        return None

    def table(
        self, name: str, columns: Sequence[str] = (), numbers: Sequence[str] = ()
    ) -> pd.DataFrame:
        """A table, such as ``"train/net1/by_kernel_size"``, with the columns that it must have.

        Raises:
            NotMeasuredError: There is no such table, or it has nothing of the study's way.
            UserError: Its file is damaged, as ``Finished.table`` has it.
        """
        folder, _, file = name.rpartition("/")
        if not self._tested_like_study(folder):
            return self._of_seed(folder, file, columns, numbers)
        if {*STUDY_MEASURED}.isdisjoint(self._of_seed(folder, file)):
            raise NotMeasuredError(
                f"reports/{name}.csv has nothing tested in the study's way: change "
                f"nets.{Path(folder).name}.augment in params.yaml and run `dvc repro`"
            )
        file = "best_study" if file == "best" else file
        own = {_LIKE_STUDY.get(number, number): number for number in numbers}
        found = self._of_seed(folder, file, columns, [*own])
        return found.drop(columns=[*_LIKE_STUDY], errors="ignore").rename(columns=own)

    def _tested_like_study(self, folder: str) -> bool:
        """Whether a grid's usual measures are not what is asked for: it was augmented there."""
        return self.as_in_study and f"{folder}/best_study" in published.KEYS

    def _of_seed(
        self, folder: str, file: str, columns: Sequence[str] = (), numbers: Sequence[str] = ()
    ) -> pd.DataFrame:
        grid = folder.removeprefix("train/")
        if grid == folder or self._of_all_seeds(grid):
            return self._holding(f"{folder}/{file}.csv").table(file, columns, numbers=numbers)
        if self.seed not in self._seeds(grid):
            raise NotMeasuredError(
                f"{grid} was not trained with seed {self.seed}: add it to nets.{grid}.seeds in "
                "params.yaml and run `dvc repro`"
            )
        if file != "runs":
            file = f"seeds_{file}"
        table = self._holding(f"{folder}/{file}.csv").table(file, columns, numbers=numbers)
        return table[table["seed"] == self.seed].drop(columns="seed")

    def runs(self, net: str, axes: Sequence[str]) -> pd.DataFrame:
        """Each run's place on some axes, and ``highest``, its best epoch's test accuracy.

        Raises the same.
        """
        like_study = self._tested_like_study(f"train/{net}")
        accuracy = "best_study_accuracy" if like_study else "test_accuracy"
        runs = columns(self, f"train/{net}/runs", [*axes, accuracy])
        return runs.rename(columns={accuracy: "highest"})

    def highest(self, net: str) -> dict[float, float]:
        """The highest test accuracy that any epoch reached, by dropout rate; raises the same."""
        best = self.runs(net, ["dropout_rate"]).groupby("dropout_rate")["highest"].max()
        return dict(zip(best.index.tolist(), best.tolist(), strict=True))

    def json(self, name: str) -> dict[str, Any]:
        """The mapping in a JSON file; raises what ``table`` raises."""
        return self._holding(f"{name}.json").json(Path(name).name)

    def protocols(self, net: str) -> dict[str, float]:
        """A network's test accuracy by the way it was tested; raises the same."""
        table = columns(self, "evaluate/protocols", ["accuracy"], ["net", "protocol"])
        of_net = table[table["net"] == net]
        return dict(zip(of_net["protocol"], of_net["accuracy"], strict=True))

    def params(self, stage: str) -> dict[str, dict[str, Any]]:
        """The parameters that a stage used, such as ``"occlusion"``; raises the same."""
        return self._holding(f"{stage}/params.json").sections

    def zeroed_filters(self) -> list[str]:
        """The filters that were ablated together; raises the same."""
        return zeroed_filters(self._holding("filter-ablation/params.json"))

    def _holding(self, path: str) -> Finished:
        name, _, file = path.rpartition("/")
        folder = self.finished(name)
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

    def runs(self, net: str, _: Sequence[str]) -> pd.DataFrame:
        """None: of its grids the study prints means, and the best run."""
        raise NotMeasuredError(f"the study printed no table of {net}'s runs")

    def highest(self, _: str) -> dict[float, float]:
        """What net4 reached, by dropout rate; of 0.5 the study says what it never exceeded."""
        block = published.study()["net4"]
        bound = block["test_accuracy_never_above_with_dropout_0.5"]
        return {block["best"]["dropout_rate"]: block["best"]["test_accuracy"], 0.5: bound}

    def protocols(self, net: str) -> dict[str, float]:
        """The two ways in which the study tested net4."""
        block = published.study()[net]
        return {
            STUDY: block["best"]["test_accuracy"],
            AUGMENTED: block["best_test_accuracy_in_evaluation_mode"],
        }

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
