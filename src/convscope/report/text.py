"""Words and numbers inside the report's sentences."""

from collections.abc import Sequence

from convscope.base.report_folder import Finished


def percent(share: float) -> str:
    """A share in [0, 1] as percent, two decimals."""
    return f"{100 * share:.2f}%"


def count(number: float) -> str:
    """A whole number, or the mean of some, with thousands separators."""
    return f"{number:,.0f}"


def counted(number: float, noun: str, plural: str = "") -> str:
    """A number and its noun: ``"1 filter"``, ``"10 filters"``."""
    return f"{count(number)} {noun if number == 1 else plural or f'{noun}s'}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: ``"a"``, ``"a and b"``, ``"a, b and c"``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def taken(found: int, wanted: int | None) -> str:
    """How many test images were used, where a parameter asked for so many (None: all)."""
    images = counted(found, "test image")
    if wanted is not None and found < wanted:
        return f"{images} (all there are of the {count(wanted)} asked for)"
    return images


def analyzed_net(folder: Finished) -> str:
    """The network that a stage analyzed."""
    return folder.param("analysis", "net", str) or "the network"


def zeroed_filters(ablation: Finished) -> list[str]:
    """The filters that were ablated together, as the tables name them: ``conv1/0``."""
    selected = ablation.param("filter_ablation", "filters", dict) or {}
    if not all(isinstance(numbers, list) for numbers in selected.values()):
        raise ablation.damaged("params.json", "its filter_ablation.filters are of the wrong type")
    return [f"{layer}/{number}" for layer, numbers in selected.items() for number in numbers]
