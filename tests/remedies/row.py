"""A line that users read: what causes it, what it says, and what follows when it is obeyed."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from convscope import cli
from tests import projects

# something that is done to the current folder or, by a patch, to this process
Step = Callable[[pytest.MonkeyPatch], object]


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        site: Where the line is made, as ``sites.found`` names it.
        says: The whole line; an ellipsis stands for what is different each time.
        do: What ends in the line, and does its work afterwards.
        cause: Makes what is wrong.
        mend: Does what the line says, and returns what to do instead if that is another command;
            or a text: why no test can.
    """

    site: str
    says: str
    do: Callable[[], object]
    cause: Step
    mend: Step | str

    def is_said_in(self, lines: str) -> bool:
        """Whether one of the lines is this one, alone or after the program's name."""
        pattern = re.escape(self.says).replace("…", ".+")
        return any(re.fullmatch(f"(convscope: )?{pattern}", line) for line in lines.splitlines())


def each(*steps: Step) -> Step:
    """All of these, in order."""

    def do(patch: pytest.MonkeyPatch) -> None:
        for step in steps:
            step(patch)

    return do


def nothing(_: pytest.MonkeyPatch) -> None:
    """What passes by itself."""


def env(**variables: str | None) -> Step:
    """Set variables of the environment; None takes one away."""

    def do(patch: pytest.MonkeyPatch) -> None:
        for name, value in variables.items():
            patch.delenv(name, False) if value is None else patch.setenv(name, value)

    return do


def replaced(owner: object, name: str, value: object) -> Step:
    """Put something else in the place of an attribute."""
    return lambda patch: patch.setattr(owner, name, value)


def params(*without: str, **changes: Any) -> Step:
    """The shrunk configuration, less some sections, with these changes; ``__`` is a dot."""

    def do(_: pytest.MonkeyPatch) -> None:
        content = projects.one_run()
        for key, value in changes.items():
            *above, name = key.split("__")
            section = content
            for part in above:
                section = section[part]
            section[name] = value
        for key in without:
            *above, name = key.split("__")
            section = content
            for part in above:
                section = section[part]
            del section[name]
        projects.Project(Path()).write_params(content)

    return do


def write(path: str | Path, content: object) -> Step:
    """Write a file: bytes, a text, or a value as JSON."""

    def do(_: pytest.MonkeyPatch) -> None:
        (place := Path(path)).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            place.write_bytes(content)
        else:
            place.write_text(content if isinstance(content, str) else json.dumps(content))

    return do


def remove(path: str | Path) -> Step:
    """Remove a file."""
    return lambda _: Path(path).unlink()


def instead(do: Callable[[], object]) -> Step:
    """Another command, to be done instead."""
    return lambda _: do


def command(*arguments: str) -> Callable[[], int]:
    """A command of convscope."""
    return lambda: cli.main(arguments)
