"""Where the sources make lines that users read, and which of these places a call has passed."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import convscope

SOURCES = Path(convscope.__file__).parent
_CALLED = {"UserError", "FailedError", "warn", "_warn"}


@dataclass(frozen=True)
class Site:
    """A call in a source file, from its first line to its last."""

    path: Path
    first: int
    last: int

    def is_among(self, lines: set[tuple[str, int]]) -> bool:
        """Whether lines that were run are of this call."""
        span = range(self.first, self.last + 1)
        return any((str(self.path), number) in lines for number in span)


def found() -> dict[str, Site]:
    """Every place, by module and function, and a number from the second in a function on.

    They are errors for users, what config says of wrong values, and lines on standard error.
    """
    sites, counts = {}, Counter[str]()
    for path in sorted(SOURCES.rglob("*.py")):
        module = path.relative_to(SOURCES).with_suffix("").as_posix()
        for scope, call in _calls(ast.parse(path.read_text(encoding="utf-8")), ()):
            if _is_for_users(call, path):
                name = f"{module}.{'.'.join(scope)}"
                counts[name] += 1
                number = f" {counts[name]}" if counts[name] > 1 else ""
                sites[name + number] = Site(path, call.lineno, call.end_lineno or call.lineno)
    return sites


def _calls(node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ast.Call]]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        inner = (*scope, child.name) if named else scope
        if isinstance(child, ast.Call):
            yield scope, child
        yield from _calls(child, inner)


def _is_for_users(call: ast.Call, path: Path) -> bool:
    name = ast.unparse(call.func)
    to_stderr = any(ast.unparse(each.value) == "sys.stderr" for each in call.keywords)
    of_values = name == "ValueError" and path.parent.name == "config"
    return name in _CALLED or of_values or (name == "print" and to_stderr)


@contextmanager
def passed() -> Iterator[set[tuple[str, int]]]:
    """The lines of the sources that are run in a block: files and numbers."""
    lines: set[tuple[str, int]] = set()
    top = str(SOURCES)

    def inside(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return inside

    def entered(frame: FrameType, _: str, __: Any) -> Any:
        return inside if frame.f_code.co_filename.startswith(top) else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield lines
    finally:
        sys.settrace(before)
