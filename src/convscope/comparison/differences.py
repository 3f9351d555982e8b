"""What is different between two states: plain values, which the answer puts into words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd

from convscope.base import metrics
from convscope.comparison.state import Judged, State
from convscope.study.claims.claim import Verdict
from convscope.tracking.records import flatten
from convscope.training.explain import IDENTITY

T = TypeVar("T")


@dataclass(frozen=True)
class Change(Generic[T]):
    """Something that is not in both states as it is in one; None where there is nothing."""

    name: str
    before: T | None
    after: T | None


@dataclass(frozen=True)
class Turned:
    """A claim whose verdict is another; None in a state that did not judge it."""

    number: int
    before: Judged | None
    after: Judged | None

    @property
    def lost(self) -> bool:
        """Whether it held, and no longer does."""
        return _holds(self.before) and not _holds(self.after)


@dataclass(frozen=True)
class Tested:
    """The best run of a network on the test images, in both states.

    Attributes:
        before: (accuracy, low, high) in [0, 1], the ends of the 95 % interval; None without it.
        after: The same.
        only_before: Images that only the earlier one gets right; None where images differ.
        only_after: Images that only the later one gets right.
        p_value: McNemar's exact test of the two.
    """

    net: str
    before: tuple[float, float, float] | None
    after: tuple[float, float, float] | None
    only_before: int | None = None
    only_after: int | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Retrained:
    """Runs of a network that the earlier state does not have, and in what they differ."""

    net: str
    runs: int
    why: str


def changes(before: Mapping[str, T], after: Mapping[str, T]) -> list[Change[T]]:
    """What is not the same in two mappings, in the order of the first, then of the second."""
    return [
        Change(name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def turned(before: State, after: State) -> list[Turned]:
    """The claims whose verdict is another, in order of their numbers."""
    found = [
        Turned(number, before.claims.get(number), after.claims.get(number))
        for number in sorted({*before.claims, *after.claims})
    ]
    return [each for each in found if _verdict(each.before) != _verdict(each.after)]


def tested(before: State, after: State) -> list[Tested]:
    """Every network's best run in both states, image by image where the images are the same."""
    found = []
    for net in dict.fromkeys([*before.tested.index, *after.tested.index]):
        both = (_accuracy(before.tested, net), _accuracy(after.tested, net))
        counts = _only_one_right(before, after, net) if None not in both else None
        p_value = metrics.mcnemar_p_value(*counts) if counts else None
        only_before, only_after = counts or (None, None)
        found.append(Tested(str(net), *both, only_before, only_after, p_value))
    return found


def retrained(before: State, after: State) -> list[Retrained]:
    """The runs that only the later state has, counted by network and reason."""
    known = {run["fingerprint"] for run in before.runs}
    counts = Counter(
        (run["net"], _why(run, [other for other in before.runs if other["net"] == run["net"]]))
        for run in after.runs
        if run["fingerprint"] not in known
    )
    return [Retrained(net, runs, why) for (net, why), runs in counts.items()]


def _holds(claim: Judged | None) -> bool:
    return _verdict(claim) is Verdict.HOLDS


def _verdict(claim: Judged | None) -> Verdict | None:
    return claim.verdict if claim else None


def _accuracy(table: pd.DataFrame, net: str) -> tuple[float, float, float] | None:
    if net not in table.index:
        return None
    row = table.to_dict("index")[net]
    return row["test_accuracy"], row["low"], row["high"]


def _only_one_right(before: State, after: State, net: str) -> tuple[int, int] | None:
    """How many images only one state's network gets right; None where that cannot be said."""
    tables = (before.predictions, after.predictions)
    if before.data[1] != after.data[1] or not before.data[1]:
        return None
    if not all({"label", net} <= {*table} for table in tables) or len({*map(len, tables)}) > 1:
        return None
    was, now = (table[net].eq(table["label"]) for table in tables)
    return int((was & ~now).sum()), int((~was & now).sum())


def _why(run: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> str:
    """In what a run differs from those of its network in the other state."""
    if not known:
        return "no run of this network"
    new = [
        f"{axis} {value:g}"
        for axis, value in run["point"].items()
        if all(other["point"].get(axis) != value for other in known)
    ]
    same = [other for other in known if other["point"] == run["point"]]
    reasons = [f"new: {', '.join(new)}"] if new else []
    if not new and not same:
        reasons = ["a new combination of known values"]
    return "; ".join([*reasons, *min((_apart(run, other) for other in same or known), key=len)])


def _apart(run: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """In what settings and identity two runs differ, whatever their points."""
    found = [
        f"{change.name} {change.before or 'unset'} → {change.after or 'unset'}"
        for change in changes(flatten(other["settings"]), flatten(run["settings"]))
    ]
    for change in changes(other["identity"], run["identity"]):
        # other points have other layers
        if change.name != "layers" or run["point"] == other["point"]:
            known = IDENTITY.get(change.name)
            found.append(known or f"{change.name} {change.before} → {change.after}")
    return found
