"""One line for the user of what pydantic says of params.yaml."""

import reprlib
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from convscope.config import content
from convscope.config.schema import COUNTED, NAMED

# pydantic's own messages for these are about Python, not about YAML
_MESSAGES = {
    "extra_forbidden": "is unknown: remove it or correct its name",
    "missing": "is missing: add it",
    "tuple_type": "must be a list, in brackets",
    "too_short": "is empty: list at least one value",
}
# below it each network has its section
_NETS, _NET = "nets", "NET"

_Key = tuple[str, ...]


def first_of(error: ValidationError, root: type[BaseModel]) -> str:
    """The first thing that is wrong with params.yaml, with its key as DVC's ``-S`` writes it."""
    # a misspelt key is also a missing one: the misspelling is what the user can see
    first, *others = sorted(
        error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden"
    )
    place = [part for part in first["loc"] if part not in (COUNTED, NAMED, "[key]")]
    key = content.one_line(_joined(place))
    message = _MESSAGES.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] == "extra_forbidden" and (meant := _meant(place, root)):
        message = f"is unknown: did you mean {meant}?"
    value = "" if isinstance(first["input"], dict) else f" (it is {_short(first['input'])})"
    more = f" (and {len(others)} more)" if others else ""
    return f"{key}: {message}{value}{more}" if key else f"{message}{more}"


def _joined(place: Sequence[str | int]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).lstrip(".")


def _meant(place: Sequence[str | int], root: type[BaseModel]) -> str | None:
    """The key that was meant: one of the section with a like name, or one that is elsewhere."""
    *section, name = map(str, place)
    net = section[1] if len(section) > 1 and section[0] == _NETS else _NET
    known = list(_keys(root, net))
    beside = [key[-1] for key in known if list(key[:-1]) == section]
    if near := get_close_matches(name, beside, n=1):
        return ".".join((*section, *near))
    names = {key[-1] for key in known}
    elsewhere = [name] if name in names else get_close_matches(name, names, n=1)
    found = [key for key in known if key[-1] in elsewhere]
    # rather one of the same section than another
    found.sort(key=lambda key: list(key[: len(section)]) != section)
    return ".".join(found[0]) if found else None


def _keys(model: type[BaseModel], net: str, above: _Key = ()) -> Iterator[_Key]:
    """All keys that params.yaml may have, sections included; those of a grid below this network."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        for inner in _models(field.annotation):
            yield from _keys(inner, net, (*above, name, net) if name == _NETS else (*above, name))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that a key may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _short(value: object) -> str:
    """A value on one line; of a large one, the beginning."""
    try:
        # of nested aliases, a plain repr would write every copy out
        return content.one_line(reprlib.repr(value))
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"
