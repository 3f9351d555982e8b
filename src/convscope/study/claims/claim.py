"""What a claim is: a finding of the study as it was judged, or a goal of this project."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Numbers = Mapping[str, float]
OVERFIT = "overfit (points)"  # what several claims call this number
# the ways to test networks that were trained on augmented images
LIKE_STUDY = "the study's way"  # in training mode, on augmented test images
USUAL = "the usual way"  # in evaluation mode, on the test images as they are


class Verdict(StrEnum):
    """What the measured files say of a claim."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class SeedVerdict:
    """A claim as the runs of one seed have it.

    Attributes:
        seed: None where the files do not say which it was.
        margin: By how much the claim holds, or is missed if it is negative; None where nothing
            that the claim compares is a number.
        why: As in ``Claim``.
    """

    seed: int | None
    verdict: Verdict
    margin: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Judgment:
    """What the measured files say of a claim, where networks are tested in one way.

    Attributes:
        way: How networks are tested that were trained on augmented images: ``LIKE_STUDY`` or
            ``USUAL``; empty where no such network has a part in the claim.
        verdict: Whether the files bear it out, in every seed that was measured.
        measured: What the rule finds in the files, by name, means over the seeds, and settings by
            seed where they differ; empty if the files do not hold what it needs. Accuracies are in
            [0, 1] unless a name says percent or points.
        why: What is missing and how to make it; or where a claim fails; or empty.
        unit: What its margins are in.
        one_network: Whether it is of a single trained network, whatever seeds were trained.
        seeds: The same by seed; empty for a claim that no seed has a part in.
    """

    way: str = ""
    verdict: Verdict
    measured: Numbers
    why: str = ""
    unit: str = "points"
    one_network: bool = False
    seeds: tuple[SeedVerdict, ...] = ()

    @property
    def seeds_judged(self) -> int:
        """How many seeds the verdict is of."""
        return len(self._judged())

    @property
    def answer(self) -> str:
        """The verdict with the number of seeds that it is of: ``holds in 3 of 3 seeds``."""
        judged = self._judged()
        if self.verdict is Verdict.NOT_MEASURED or not judged:
            return str(self.verdict)
        if len(judged) == 1:
            return f"{self.verdict} (one seed)"
        held = sum(each.verdict is Verdict.HOLDS for each in judged)
        return f"holds in {held} of {len(judged)} seeds"

    @property
    def reach(self) -> str:
        """By how much, over the seeds, and of what; empty where nothing can be said."""
        judged = self._judged()
        margins = [each.margin for each in judged if each.margin is not None]
        words = []
        if len(margins) > 1:
            least, spread = min(margins), max(margins) - min(margins)
            words.append(
                f"smallest margin {_figure(least)} {self.unit}, "
                f"spread of the seeds {_figure(spread)} {self.unit}"
            )
        elif margins:
            words.append(f"margin {_figure(margins[0])} {self.unit}")
        if self.one_network and judged:
            known = judged[0].seed
            words.append(f"of one network{'' if known is None else f', seed {known}'}")
        if absent := len(self.seeds) - len(judged) if judged else 0:
            words.append(f"not measured in {absent} more")
        return "; ".join(words)

    def _judged(self) -> list[SeedVerdict]:
        return [each for each in self.seeds if each.verdict is not Verdict.NOT_MEASURED]


@dataclass(frozen=True, kw_only=True)
class Claim(Judgment):
    """A judged claim: what is said of it, in the study's way where the ways differ.

    Attributes:
        section: The part of the study that it is from, such as ``net1`` or ``occlusion``.
        rule: What exactly is computed from which file below reports/.
        published: What the rule finds in the study's own numbers, by name; empty where the study
            prints none.
        differing: The grids that it rests on whose epochs, widths, images or settings are not the
            study's. On such a claim the verdict is of these grids, and does not check the study.
        goal: Whether it is this project's own goal, and no finding of the study.
        usual: The same in the usual way, where the ways differ.
    """

    number: int
    section: str
    statement: str
    rule: str
    published: Numbers
    differing: tuple[str, ...] = ()
    goal: bool = False
    usual: Judgment | None = None

    @property
    def caveat(self) -> str:
        """Which grids of a judged claim are not the study's own, in words; or empty."""
        if not self.differing or self.verdict is Verdict.NOT_MEASURED:
            return ""
        return f"{' and '.join(self.differing)} not as in the study"


def shown(name: str, value: float) -> str:
    """A number of a claim as a reader sees it, by its name: shares have four decimals.

    Integers have none, and the rest two: those above 1, points and percent.
    """
    if isinstance(value, int):
        return f"{value:,}"
    share = abs(value) < 1 and not any(unit in name for unit in ("points", "percent"))
    return f"{value:.4f}" if share else f"{value:.2f}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
