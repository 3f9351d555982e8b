"""Drop kept runs that nothing refers to any more; what is in doubt stays."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convscope.base import locks, paths
from convscope.base.names import POINT
from convscope.nets import zoo
from convscope.stages import references

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True)
class Kept:
    """A finished run of the store."""

    folder: Path
    net: str
    point: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def clean(*, dry_run: bool) -> list[str]:
    """Drop the finished runs that no branch, experiment or params.yaml refers to.

    Runs that are not finished stay: they do not say what they are.

    Args:
        dry_run: Only say what would be dropped.

    Returns:
        A line for each run that is dropped, and what is gained.

    Raises:
        UserError: A grid is being trained, or it cannot be told what is referred to.
    """
    with locks.nobody_works_on([] if dry_run else map(paths.stage_of, zoo.NETS)):
        runs, unfinished = _kept()
        known = references.found()
        dropped = [run for run in runs if not known.has(run.folder.name, run.net, run.point)]
        lines, total = [], 0
        for run in dropped:
            total += run.size
            lines.append(f"{_named(run)}: {_spoken(run.size)}")
            if not dry_run:
                _remove(run.folder)
    word = "would be dropped" if dry_run else "dropped"
    lines.append(f"{len(dropped)} of {len(runs)} finished runs {word}: {_spoken(total)}")
    if unfinished:
        lines.append(f"{unfinished} unfinished stay: which they are cannot be told")
    return lines


def _kept() -> tuple[list[Kept], int]:
    """The finished runs of the store, by network, and how many others are there."""
    found, others = [], 0
    for folder in sorted(path for path in paths.KEPT_RUNS.glob("[!.]*") if path.is_dir()):
        try:
            document = json.loads((folder / paths.RUN).read_bytes())
            run = Kept(folder, str(document["net"]), dict(document["point"]))
            if document["fingerprint"] != folder.name:
                raise ValueError("of another run")
        except (OSError, ValueError, KeyError, TypeError):
            others += 1
        else:
            found.append(run)
    return sorted(found, key=lambda run: (run.net, _named(run))), others


def _named(run: Kept) -> str:
    point = " ".join(f"{name}={run.point[name]}" for name in POINT if name in run.point)
    return f"{run.net}  {point}"


def _remove(folder: Path) -> None:
    """Remove a run; one that is half removed must not look like one that was damaged."""
    former = folder.with_name(f".{folder.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    folder.replace(former)
    shutil.rmtree(former)


def _spoken(size: int) -> str:
    for unit, name in UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
