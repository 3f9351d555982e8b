"""The study's tables "by X" as rules read them: a mean for each point of a grid."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from math import log2
from statistics import linear_regression

from convscope.study.claims.rule import Against, Margin
from convscope.study.claims.sources import NotMeasuredError, Source, columns
from convscope.study.published import KEYS

Point = tuple[float, ...]
_NAMES = {
    "batch_size": "batch",
    "filter_multiplier": "m",
    "kernel_size": "kernel",
    "dropout_rate": "dropout",
}
_KEYS = {"epoch": "epochs"}  # in params.yaml, where it is not the axis


class Means:
    """One column of a table, such as ``"train/net1/by_kernel_size_stride"``, by its axes.

    The methods raise ``NotMeasuredError`` where the grid lacks what they are asked for.
    """

    def __init__(self, source: Source, table: str, column: str = "test_accuracy") -> None:
        self.table, self.axes = table, KEYS[table]
        rows = columns(source, table, [*self.axes, column]).itertuples(index=False)
        by_point = {tuple(point): mean for *point, mean in rows}
        self.values: dict[Point, float] = dict(sorted(by_point.items()))

    def at(self, *point: float) -> float:
        """The mean at a point."""
        return self.named([point])[self.name(point)]

    def along(self, axis: str) -> list[float]:
        """The values of an axis, ascending."""
        position = self.axes.index(axis)
        return sorted({point[position] for point in self.values})

    def several(self, axis: str) -> list[float]:
        """The values of an axis, ascending, of which there are at least two to compare."""
        found = self.along(axis)
        if len(found) < 2:
            raise NotMeasuredError(
                f"reports/{self.table}.csv has only one {axis}: {self._remedy([axis])}"
            )
        return found

    def name(self, point: Point) -> str:
        """A point in words: ``kernel 3, stride 1``."""
        named = zip(self.axes, point, strict=True)
        return ", ".join(f"{_NAMES.get(axis, axis)} {value:g}" for axis, value in named)

    def named(self, points: Sequence[Point] | None = None) -> dict[str, float]:
        """The means of these points, or of all, by the points' names."""
        wanted = list(self.values if points is None else points)
        if absent := [point for point in wanted if point not in self.values]:
            raise NotMeasuredError(
                f"reports/{self.table}.csv has no {self._names(absent)}: {self._remedy(self.axes)}"
            )
        return {self.name(point): self.values[point] for point in wanted}

    def _names(self, points: Sequence[Point]) -> str:
        """Points in words, a single axis named once: ``epoch 9, 13``."""
        if len(self.axes) > 1:
            return "; ".join(map(self.name, points))
        first, *others = points
        return ", ".join([self.name(first), *(f"{value:g}" for (value,) in others)])

    def _remedy(self, axes: Sequence[str]) -> str:
        _, net, _ = self.table.split("/")
        keys = " and ".join(_KEYS.get(axis, axis) for axis in axes)
        return f"change nets.{net}.{keys} in params.yaml and run `dvc repro`"


def not_rising(
    steps: Mapping[str, float],
    what: str = "",
    sign: int = 1,
    scale: float = 100,
    ties_at: float | None = None,
) -> Against:
    """Each step of a series in words, by its points' names, and by how much it rises.

    ``what`` says what the values are, where a claim compares several things. With ``sign`` -1 it is
    by how much the step falls. ``scale`` takes the values to points: 1 if they are. Two values that
    are both ``ties_at`` may follow one another.
    """
    return {
        f"{what} goes from {before:.4g} ({first}) to {after:.4g} ({second})".lstrip(): Margin(
            scale * sign * (after - before), ties=before == after == ties_at
        )
        for (first, before), (second, after) in pairwise(steps.items())
    }


not_falling = partial(not_rising, sign=-1)


def opposed(steps: Against) -> Against:
    """The same of values that are not in the claim's unit: whether a step is not as it should."""
    return {text: bool(margin) for text, margin in steps.items()}


def a_doubling(means: Means) -> float:
    """What a doubling of the table's axis gains, in points: a straight line by least squares."""
    (axis,) = means.axes
    means.several(axis)
    points = [log2(value) for (value,) in means.values]
    return 100 * linear_regression(points, [*means.values.values()]).slope
