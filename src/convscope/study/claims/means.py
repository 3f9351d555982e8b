"""The study's tables "by X" as rules read them: a mean for each point of a grid."""

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from convscope.study.claims.sources import NotMeasuredError, Source, columns

Point = tuple[float, ...]
_NAMES = {
    "batch_size": "batch",
    "filter_multiplier": "m",
    "kernel_size": "kernel",
    "dropout_rate": "dropout",
}


class Means:
    """One column of a table by some axes, in ascending order of its points.

    Args:
        source: Where the table is.
        table: Its name, such as ``"train/net1/by_kernel_size_stride"``.
        axes: The axes of its points, such as ``("kernel_size", "stride")``.
        column: What is averaged.

    Raises:
        NotMeasuredError: The source has no such table.
        UserError: The table is damaged.
    """

    def __init__(
        self, source: Source, table: str, axes: Sequence[str], column: str = "test_accuracy"
    ) -> None:
        self.table = table
        self.axes = tuple(axes)
        found = columns(source, table, [*axes, column])
        points = zip(*(found[axis].tolist() for axis in axes), strict=True)
        by_point = dict(zip(points, found[column].tolist(), strict=True))
        self.values: dict[Point, float] = dict(sorted(by_point.items()))

    def at(self, *point: float) -> float:
        """The mean at a point; raises what ``named`` raises."""
        return self.named([point])[self.name(point)]

    def along(self, axis: str) -> list[float]:
        """The values of an axis, ascending."""
        position = self.axes.index(axis)
        return sorted({point[position] for point in self.values})

    def several(self, axis: str) -> list[float]:
        """The values of an axis, ascending, of which there are at least two to compare.

        Raises:
            NotMeasuredError: There are fewer.
        """
        found = self.along(axis)
        if len(found) < 2:
            raise NotMeasuredError(
                f"reports/{self.table}.csv has but one {axis}: {self._remedy([axis])}"
            )
        return found

    def name(self, point: Point) -> str:
        """A point in words: ``kernel 3, stride 1``."""
        named = zip(self.axes, point, strict=True)
        return ", ".join(f"{_NAMES.get(axis, axis)} {value:g}" for axis, value in named)

    def named(self, points: Sequence[Point] | None = None) -> dict[str, float]:
        """The means of these points, or of all, by the points' names.

        Raises:
            NotMeasuredError: The grid lacks some of them.
        """
        chosen = list(self.values if points is None else points)
        if absent := [point for point in chosen if point not in self.values]:
            raise NotMeasuredError(
                f"reports/{self.table}.csv has no {self._names(absent)}: {self._remedy(self.axes)}"
            )
        return {self.name(point): self.values[point] for point in chosen}

    def _names(self, points: Sequence[Point]) -> str:
        """Points in words, a single axis named once: ``epoch 9, 13``."""
        if len(self.axes) > 1:
            return "; ".join(map(self.name, points))
        first, *others = points
        return ", ".join([self.name(first), *(f"{value:g}" for (value,) in others)])

    def _remedy(self, axes: Sequence[str]) -> str:
        parts = self.table.split("/")
        section = f"nets.{parts[1]}" if parts[0] == "train" else parts[0]
        keys = " and ".join("epochs" if axis == "epoch" else axis for axis in axes)
        if section == "occlusion":
            keys = "window_sizes"
        return f"change {section}.{keys} in params.yaml and run `dvc repro`"


def not_rising(steps: Mapping[str, float], what: str = "") -> tuple[str, ...]:
    """Where a series does not rise from one value to the next.

    Args:
        steps: The series, by the names of its points.
        what: What the values are, where a claim compares several things.

    Returns:
        What to say against the claim; nothing if every value is larger than the one before.
    """
    return _broken(steps, what, operator.gt)


def not_falling(steps: Mapping[str, float], what: str = "") -> tuple[str, ...]:
    """Where a series does not fall; see ``not_rising``."""
    return _broken(steps, what, operator.lt)


def _broken(
    steps: Mapping[str, float], what: str, goes_on: Callable[[float, float], bool]
) -> tuple[str, ...]:
    return tuple(
        f"{what} goes from {before:.4g} ({first}) to {after:.4g} ({second})".lstrip()
        for (first, before), (second, after) in pairwise(steps.items())
        if not goes_on(after, before)
    )
