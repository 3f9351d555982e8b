"""Words that several sections of the report use."""

from collections.abc import Mapping, Sequence

from convscope.report import columns


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun: ``"1 filter"``, ``"10 filters"``."""
    return f"{columns.count(number)} {noun if number == 1 else plural or f'{noun}s'}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: ``"a"``, ``"a and b"``, ``"a, b and c"``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def spans(text: str) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is code: what stands between backticks."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return [(text, False)]
    return [(piece, bool(place % 2)) for place, piece in enumerate(pieces) if piece]


def filter_names(chosen: Mapping[str, Sequence[int]]) -> list[str]:
    """Filters as the tables name them, ``conv1/0``, from layers and numbers."""
    return [f"{layer}/{number}" for layer, numbers in chosen.items() for number in numbers]
