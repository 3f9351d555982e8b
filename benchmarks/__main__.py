"""``python -m benchmarks [NAME ...]``: print a table of medians; nothing is asserted."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks import children, subjects, table
from benchmarks.measuring import cores
from convscope.training import processes

NAMES = (
    "training",
    "ceiling",
    "accuracy",
    "grid",
    "occlusion",
    "atlas",
    "pipeline",
    "tracking",
    "growth",
    "kernels",
    "explorer",
    "cluster",
    "nodes",
    "study",
)
BY_NAME_ONLY = ("quick-study",)
# what measures in processes of its own, and what those that train do first
IN_CHILDREN = [
    *(f"benchmarks.{name}" for name in ("training", "kernels", "growth", "atlas", "cluster")),
    "tests.prepared",
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks.

    Args:
        arguments: The command line without the program's name; None takes this process's.

    Returns:
        The exit code, 0.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"any of {', '.join(NAMES)} (default: all of these), {', '.join(BY_NAME_ONLY)}",
    )
    parser.add_argument("--quick", action="store_true", help="try everything on next to nothing")
    parser.add_argument("--markdown", action="store_true", help="print RESULTS.md")
    parser.add_argument(
        "--go",
        action="store_true",
        help="with study: train and analyze it here, by a GPU, as far as the time allows",
    )
    parser.add_argument("--minutes", type=float, default=9.5, help="that time (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "published")))
    asked = parser.parse_args(arguments)
    if unknown := sorted({*asked.names} - {*NAMES, *BY_NAME_ONLY}):
        parser.error(f"there is no benchmark {unknown[0]}")
    if asked.go:
        if asked.names != ["study"]:
            parser.error("--go is for study")
        from benchmarks import go

        return go.run(asked.minutes, asked.out, asked.quick)
    if asked.quick:
        torch.set_num_threads(cores(asked.quick))
        children.context = processes.context()  # these have imported torch
        children.context.set_forkserver_preload([processes.EXECUTOR, *IN_CHILDREN])
    write = table.markdown if asked.markdown else table.text
    if asked.markdown:
        print("# Benchmarks\n")
    print(f"Medians of n measurements, taken in turn. {table.machine(subjects.images_used())}\n")
    for name in asked.names or NAMES:
        module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
        rows = []
        for row in module.rows(asked.quick):
            print(f"{name}: {row.what}: {row.result or row.convscope}", file=sys.stderr)
            rows.append(row)
        print(write(module.TITLE, rows), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
