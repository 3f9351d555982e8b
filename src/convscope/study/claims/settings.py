"""Which setting of a grid has the best run, and by how much it is ahead of the others."""

from collections.abc import Mapping
from contextlib import suppress

from convscope.study.claims.rule import Against, Margin
from convscope.study.claims.sources import NotMeasuredError, Source, best_of

AHEAD = "ahead of any other setting by, points"


def best_of_grid(
    source: Source, net: str, expected: Mapping[str, float]
) -> tuple[dict[str, float], Against]:
    """A network's best run, and what speaks against its being of a setting, in the grid.

    Of runs that are equally good none is the best alone: one of the setting is enough. So all runs
    decide, and where the source does not have them, as the study's, the best one.

    Raises:
        NotMeasuredError: The source lacks the network's best run.
    """
    best = best_of(source, net, *expected, "test_accuracy")
    numbers = {name.replace("_accuracy", " accuracy"): value for name, value in best.items()}
    others = {
        f"the best run's {name} is {best[name]:g}, not {value:g}": best[name] != value
        for name, value in expected.items()
    }
    with suppress(NotMeasuredError):
        lead = _lead(source, net, expected)
        words = " and ".join(text for text, differs in others.items() if differs)
        margin = Margin(lead, ties=True)
        return numbers | {AHEAD: lead}, {f"{words}, ahead by {-lead:.3g} points": margin}
    return numbers, {**others}


def _lead(source: Source, net: str, expected: Mapping[str, float]) -> float:
    runs = source.runs(net, [*expected])
    expectedly = (runs[[*expected]] == [*expected.values()]).all(axis=1)
    ours, others = (runs.loc[side, "highest"].max() for side in (expectedly, ~expectedly))
    return 100 * float(ours - others)
