"""What the report says of the filters' responses: how many images, and which filters are dead."""

from convscope.base.report_folder import Finished


def top(folder: Finished) -> int:
    """How many top images each filter has."""
    frequency = folder.filled("class_frequency", ["filter", "max_class"])
    names = [name for name in frequency if name not in ("filter", "max_class")]
    counts = folder.filled("class_frequency", numbers=names)[names]
    return round(counts.iloc[0].sum())


def dead(folder: Finished) -> list[str]:
    """The filters that no test image makes positive anywhere."""
    responses = folder.filled("responses", ["filter", "dead"])
    if responses["dead"].dtype != bool:
        raise folder.damaged("responses.csv", "its column dead holds more than True and False")
    return [str(name) for name in responses.loc[responses["dead"], "filter"]]


def dead_in_words(folder: Finished) -> str:
    """Which filters are dead, as a sentence."""
    names = dead(folder)
    if not names:
        return "No filter is dead: each has a test image that makes its map positive somewhere."
    verb = "is" if len(names) == 1 else "are"
    return (
        f"Dead {verb} {', '.join(names)}: no test image makes the map positive anywhere, so that "
        "ReLU leaves nothing of it (the dying ReLU problem)."
    )
