"""The claims in a terminal: ``convscope claims``."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from convscope.base.consistency import require_consistent
from convscope.study import claims
from convscope.study.claims.claim import Claim, Judgment, Numbers, Verdict, shown
from convscope.study.claims.record import counted, read

STYLES = {Verdict.HOLDS: "green", Verdict.DOES_NOT_HOLD: "red", Verdict.NOT_MEASURED: "yellow"}
WIDTH = 100  # at most, and where there is no terminal


def run(reports: Path, against: Path | None = None, stream: TextIO | None = None) -> int:
    """Judge the claims and print them, with color on a terminal only.

    Returns:
        0, or 1 where a claim that held in ``against``, an earlier claims.json, no longer holds or
        can no longer be judged.

    Raises:
        UserError: A file is damaged, stages were not made from one another, or ``against`` is
            missing or not a claims.json.
    """
    require_consistent(reports)
    earlier, held = (None, set()) if against is None else read(against)
    judged, (data, _) = claims.judge(reports), claims.measured_on(reports)
    console = _Console(file=stream or sys.stdout, highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    console.print(_table(judged, data))
    _line(console, _summary(judged, data))
    if against is not None and earlier != data:
        _line(console, f"{against} was measured on {earlier}, this on {data}.")
    lost = [c for c in judged if c.number in held and c.verdict is not Verdict.HOLDS]
    for claim in lost:
        _line(console, f"Claim {claim.number} held in {against}: now {claim.verdict}.", "red")
    return 1 if lost else 0


class _Console(Console):
    """A console that leaves it to the command line what to do when its reader has gone."""

    def on_broken_pipe(self) -> None:
        """Do not end the program with 1, which says that a claim was lost."""
        raise BrokenPipeError


def _table(judged: Sequence[Claim], data: str | None) -> Table:
    """A row for each claim; below it what speaks against it or is missing, and its numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column(f"on {data or 'unknown data'}", no_wrap=True)
    table.add_column("claim", ratio=1)
    for side in ("published", "measured"):
        table.add_column(side, justify="right", no_wrap=True)
    for claim in judged:
        verdict = Text(claim.answer, STYLES[claim.verdict])
        table.add_row(str(claim.number), verdict, Text(claim.statement))
        ours = "a goal of this project, not a finding of the study" if claim.goal else ""
        for note in filter(None, (ours, claim.caveat, _said(claim))):
            table.add_row("", "", Text(note, "dim"))
        _add_numbers(table, claim.published, claim)
        if claim.usual:
            table.add_row("", Text(claim.usual.answer, STYLES[claim.usual.verdict]))
            table.add_row("", "", Text(_said(claim.usual), "dim"))
            _add_numbers(table, {}, claim.usual)
    return table


def _said(judged: Judgment) -> str:
    """The way, by how much, and why."""
    return "; ".join(filter(None, (judged.way, judged.reach, judged.why)))


def _add_numbers(table: Table, published: Numbers, judged: Judgment) -> None:
    sides = (published, judged.measured)
    for name in dict.fromkeys([*published, *judged.measured]) if judged.measured else ():
        numbers = (shown(name, side[name]) if name in side else "-" for side in sides)
        table.add_row("", "", Padding(Text(name), (0, 0, 0, 2)), *numbers)


def _line(console: Console, text: str, style: str = "") -> None:
    """Print a line without wrapping it: a path in it can be copied."""
    console.print(Text(text, style), soft_wrap=True)


def _summary(judged: Sequence[Claim], data: str | None) -> str:
    findings = [claim for claim in judged if not claim.goal]
    counts = Counter(claim.verdict for claim in findings)
    hold, fail, unmeasured = (counts[verdict] for verdict in Verdict)
    other = sum(bool(claim.caveat) for claim in findings)
    return (
        f"{counted(judged)}.\nThe findings are about cifar10, measured on "
        f"{data or 'unknown data'}: {hold} hold, {fail} do not, {unmeasured} not measured.\n"
        f"Judged on the study's own grids: {hold + fail - other} of these {hold + fail}."
    )
