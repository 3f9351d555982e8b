"""``convscope compare``: run two states, print what is different, and keep it if asked to."""

import shutil
import sys
from pathlib import Path
from typing import TextIO

from convscope import figures
from convscope.base import files
from convscope.base.errors import UserError
from convscope.comparison import answer
from convscope.comparison.clone import cloned
from convscope.comparison.state import State

ANSWER, CURVES = "answer.md", "curves.png"
BEFORE, AFTER = "before", "after"


def run(
    base: str,
    head: str | None = None,
    out: Path | None = None,
    *,
    allow_turned: bool = False,
    stream: TextIO | None = None,
) -> int:
    """Compare a revision with another, or with the working tree and what is not committed in it.

    Args:
        base: The revision to compare with.
        head: The other one; None for the working tree.
        out: A folder to make or replace: the answer, both states' results, and their curves.
        allow_turned: Whether a claim that no longer holds is no failure.
        stream: What the Markdown is printed on; None for standard output.

    Returns:
        0, or 1 where a claim that held in ``base`` no longer does.

    Raises:
        UserError: There is no such revision, a pipeline fails, or ``out`` holds something else.
    """
    if out is not None:
        _require_own(out)
    with cloned() as clone:
        first = clone.revision(base, "BASE")
        second = clone.working_tree() if head is None else clone.revision(head, "--head")
        states = (clone.run(first, BEFORE), clone.run(second, AFTER))
        found = answer.answer(*states)
        # first, so that it is not lost with a folder that cannot be written
        print(found.text, end="", file=stream or sys.stdout)
        if out is not None:
            _keep(out, found.text, *states)
    return 1 if found.lost and not allow_turned else 0


def _require_own(out: Path) -> None:
    """Refuse a link, and a folder that an earlier comparison did not make."""
    if out.is_symlink():
        raise UserError(f"{out} is a link: name the folder itself")
    if out.exists() and not (out / ANSWER).is_file():
        raise UserError(f"{out} is not a folder that `convscope compare` made: name another")


def _keep(out: Path, text: str, before: State, after: State) -> None:
    """Write the answer, the curves and the results of both states."""
    with files.atomic_folder(out) as partial:
        for name, state in ((BEFORE, before), (AFTER, after)):
            shutil.copytree(state.folder, partial / name)
        nets = {*before.curves, *after.curves}
        if nets:
            drawn = figures.curves.before_and_after(before.curves, after.curves)
            drawn.write(partial / CURVES)
        files.write_text(partial / ANSWER, text)
