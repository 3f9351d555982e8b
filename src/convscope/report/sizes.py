"""Whether a grid is the study's own, in words."""

from collections.abc import Sequence

from convscope.report.document import Text
from convscope.report.reading import Folder
from convscope.report.wording import listed
from convscope.study import published

_BESIDE = "what stands beside the study's numbers there differs for that reason too"


def differences(folder: Folder) -> list[str] | None:
    """What of a grid is not as in the study, such as ``"epochs 8 (study: 30)"``.

    Args:
        folder: The report folder of the baseline or of a network.

    Returns:
        Nothing where all is the same; None for a network that the study has not.
    """
    settings = published.differing(folder.path.name, folder.params)
    if settings is None:
        return None
    found = [
        f"{each.key} {_values(each.ours)} (study: {_values(each.theirs)})" for each in settings
    ]
    seeds = folder.params.get("train", {}).get("seeds", [0])
    return [*found, f"{len(seeds)} seeds (study: 1)"] if len(seeds) > 1 else found


def of_grid(folder: Folder) -> list[Text]:
    """Tell a reader of a network's section whether its numbers are comparable with the study's."""
    found = differences(folder)
    if found is None:
        return []
    if not found:
        return [Text("The published size: the study's own grid, epochs and training images.")]
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


def _values(values: Sequence[float]) -> str:
    """The values of a setting in words."""
    named = {True: "yes", False: "no"}
    return (
        listed([named[each] if isinstance(each, bool) else f"{each:g}" for each in values])
        or "unknown"
    )
