"""Whether a grid is the study's own, or has other epochs, widths or settings."""

from collections.abc import Sequence
from typing import Any

from convscope import published
from convscope.report.document import Text
from convscope.report.reading import Folder
from convscope.report.wording import listed

_BESIDE = "what stands beside the study's numbers there differs for that reason too"


def differences(folder: Folder) -> list[str] | None:
    """What of a grid is not as in the study, such as ``"epochs 8 (study: 30)"``.

    Args:
        folder: The report folder of the baseline or of a network.

    Returns:
        Nothing where all is the same; None for a network that the study has not.
    """
    name = folder.path.name
    if name not in published.study():
        return None
    theirs = {"epochs": published.study()[name]["epochs"], **published.study()[name]["grid"]}
    grid = folder.params.get("baseline" if name == "baseline" else "net", {})
    found = [
        f"{key} {_values(grid.get(key))} (study: {_values(value)})"
        for key, value in theirs.items()
        if _values(grid.get(key)) != _values(value)
    ]
    seeds = folder.params.get("train", {}).get("seeds", [0])
    return [*found, f"{len(seeds)} seeds (study: 1)"] if len(seeds) > 1 else found


def of_grid(folder: Folder) -> list[Text]:
    """Tell a reader of a network's section whether its numbers are comparable with the study's."""
    found = differences(folder)
    if found is None:
        return []
    if not found:
        return [Text("The published size: the study's own grid and number of epochs.")]
    return [
        Text(
            f"Not the published size: {', '.join(found)}. Differences from the study's numbers "
            "are differences of these settings too."
        )
    ]


def of_several(folders: Sequence[Folder]) -> list[Text]:
    """Tell which of the grids that a section rests on are the study's own.

    Args:
        folders: The report folders of the baseline and of networks.
    """
    found = {folder.path.name: differences(folder) for folder in folders}
    same = [name for name, differing in found.items() if differing == []]
    other = [name for name, differing in found.items() if differing]
    if not other:
        return []
    own = f"At the published size: {listed(same)}. " if same else ""
    return [Text(f"{own}Not at the published size: {listed(other)} (see there); {_BESIDE}.")]


def _values(values: Any) -> str:
    """One value or several, in words and sorted: equal where the numbers are."""
    if not isinstance(values, list):
        values = [values]
    numbers = sorted(value for value in values if isinstance(value, (int, float)))
    return listed([f"{number:g}" for number in numbers]) or "unknown"
