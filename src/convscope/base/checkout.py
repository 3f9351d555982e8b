"""Sees to it that a command runs the code of the project folder that it stands in."""

import os
import sys
from pathlib import Path

SOURCES = Path("src")
RUNS = Path(__file__).parent.parent


def is_own() -> bool:
    """Whether the code that runs is this folder's, where the folder has any.

    In a second clone, a worktree and a temporary experiment of DVC's another folder's may be
    installed, while DVC records the sources that lie here. Then this process starts again with
    these; if Python prefers those that are installed, that is said on standard error.
    """
    here = SOURCES / RUNS.name
    if not (here / "cli.py").is_file() or here.samefile(RUNS):
        return True
    sources, path = str(SOURCES.absolute()), os.environ.get("PYTHONPATH", "")
    if path.split(os.pathsep)[0] != sources:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (sources, path)))
        os.execv(sys.executable, [sys.executable, "-m", "convscope.cli", *sys.argv[1:]])
    print(
        f"convscope: {here} is not what runs, but {RUNS}: install this folder (`make install`), "
        "or start Python without -I and PYTHONSAFEPATH",
        file=sys.stderr,
    )
    return False
