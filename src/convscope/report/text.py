"""Words and numbers inside the report's sentences."""

import re
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


def natural(names: Sequence[str]) -> list[str]:
    """Names in their natural order: net2 before net10."""
    pieces = {name: re.split(r"(\d+)", name) for name in names}
    return sorted(names, key=lambda name: [int(p) if p.isdecimal() else p for p in pieces[name]])


def taken(found: int, wanted: int | None) -> str:
    """How many test images were used, where a parameter asked for so many (None: all)."""
    images = counted(found, "test image")
    if wanted is not None and found < wanted:
        return f"{images} (all there are of the {count(wanted)} asked for)"
    return images


def analyzed_net(folder: Finished) -> str:
    """The network that a stage analyzed."""
    return folder.param("analysis", "net", str) or "the network"
