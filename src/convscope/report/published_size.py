"""Whether a grid is the study's own, in words."""

from collections.abc import Sequence

from convscope.base.report_folder import Finished
from convscope.report.text import listed
from convscope.study import published


def differences(folder: Finished) -> list[str] | None:
    """What of a grid is not as in the study: ``"epochs 8 (study: 30)"``; None if it has no such."""
    settings = published.differing(folder.path.name, folder.sections)
    if settings is None:
        return None
    found = [
        f"{each.key} {_values(each.ours)} (study: {_values(each.theirs)})" for each in settings
    ]
    seeds = folder.param("train", "seeds", list) or [0]
    return [*found, f"{len(seeds)} seeds (study: 1)"] if len(seeds) > 1 else found


def of_several(folders: Sequence[Finished]) -> str:
    """Which of the grids that a section rests on are the study's own; empty if all are."""
    found = {folder.path.name: differences(folder) for folder in folders}
    same = [name for name, differing in found.items() if differing == []]
    other = [name for name, differing in found.items() if differing]
    if not other:
        return ""
    own = f"At the published size: {listed(same)}. " if same else ""
    return (
        f"{own}Not at the published size: {listed(other)} (see there); the differences from the "
        "study's numbers there have that reason too."
    )


def _values(values: Sequence[float]) -> str:
    """The values of a setting in words."""
    named = {True: "yes", False: "no"}
    words = [named[each] if isinstance(each, bool) else f"{each:g}" for each in values]
    return listed(words) or "unknown"
