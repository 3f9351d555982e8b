"""Names of classes as figures write them; tables and pages have them in full."""

from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import findfont, get_font

from convscope.figures.style import FONT

LONGEST = 24  # characters
_KEPT = 16  # of a longer one


def drawn(classes: Sequence[str]) -> dict[str, str]:
    """How to write each class, by its name: as it is, if it is short and the font has its letters.

    Of any other, what can be written of its beginning, after its number in the order of the
    classes: "class 3: sulphur-crested...".
    """
    return {name: _drawn(name, number) for number, name in enumerate(classes, start=1)}


def _drawn(name: str, number: int) -> str:
    known = " ".join("".join(letter for letter in name if _has(letter)).split())
    # matplotlib leaves what begins with an underscore out of legends
    if known == name and len(name) <= LONGEST and not name.startswith("_"):
        return name
    short = known if len(known) <= LONGEST else f"{known[:_KEPT].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return f"class {number}: {short}" if short else f"class {number}"


@cache
def _has(letter: str) -> bool:
    """Whether the figures' font has a letter, and it is one that can be seen, or a space."""
    seen = letter.isprintable() or letter.isspace()
    return seen and bool(get_font(findfont(FONT)).get_char_index(ord(letter)))
