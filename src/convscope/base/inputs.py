"""What a stage reads, compared at its end with what is there then.

DVC takes the hashes of a stage's inputs after the stage has ended: an input that was changed
meanwhile would be recorded as the one that was used.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convscope.base import paths
from convscope.base.errors import UserError

PACKAGE = Path(__file__).parent.parent

# of each input that was read: what it was then, and how to see what it is now
_Read = dict[str, tuple[object, Callable[[], object]]]
_read: _Read | None = None


@contextmanager
def followed() -> Iterator[None]:
    """Note what is read from here on, in this process; the code that runs is among it."""
    global _read
    _read = {str(path): (_bytes(path), _reader(_bytes, path)) for path in _sources()}
    try:
        yield
    finally:
        _read = None


def note(name: str, value: object, now: Callable[[], object]) -> None:
    """Note an input: its name, its value as it was read, and how to read it again."""
    if _read is not None:
        _read.setdefault(name, (value, now))


def note_file(path: Path) -> None:
    """Note a file that is about to be read; what is being made, or kept to go on, is not an input.

    A checkpoint that a run goes on from is replaced after each epoch, and gone at the end.
    """
    if (
        _read is not None
        and ".partial" not in "".join(path.parts)
        and paths.KEPT.name not in path.parts
    ):
        note(str(path), _state(path), _reader(_state, path))


def require_unchanged() -> None:
    """Do nothing if what was read is still there, or nothing was followed.

    Raises:
        UserError: An input, or a module that this process has imported, is no longer what it was.
    """
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for name, (value, now) in (_read or {}).items():
        if name.endswith(".py") and name not in loaded:
            continue
        if now() != value:
            raise UserError(
                f"{name} was changed while the stage ran: its outputs are of what was there "
                "before, and are not recorded; run it again (finished training runs are kept)"
            )


def _reader(read: Callable[[Path], object], path: Path) -> Callable[[], object]:
    return lambda: read(path)


def _sources() -> Iterator[Path]:
    """The package's files: modules, templates and numbers."""
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".jinja", ".yaml", ".css", ".js", ".html") and path.is_file():
            yield path


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _state(path: Path) -> tuple[int, int, int] | None:
    """By what another file, or a rewritten one, is told from this one; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
