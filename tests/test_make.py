"""The Makefile's commands around DVC, in a small project of one stage."""

import subprocess
from pathlib import Path

import pytest

from tests import projects, warm

PIPELINE = "stages: {double: {cmd: python double.py, params: [number], outs: [models/double]}}\n"
DOUBLE = """
from pathlib import Path
number = int(Path("params.yaml").read_text().split()[-1])
Path("models").mkdir(exist_ok=True)
Path("models/double").write_text(str(2 * number))
with open("computed", "a") as log:
    print(number, file=log)
"""
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
OUT = Path("models/double")


def make(target):
    """The lines that a target prints, as if all was installed."""
    command = (
        "make",
        "--no-print-directory",
        "-f",
        str(projects.ROOT / "Makefile"),
        "-o",
        "install",
        target,
    )
    # the tests' own sources, whatever is installed
    done = projects.Project(Path(), warm.programs()).run(
        *command, PYTHONPATH=str(projects.ROOT / "src")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def git(*arguments):
    command = ["git", *AUTHOR, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def computed():
    return Path("computed").read_text().split()


@pytest.fixture
def cloned(here):
    """A repository that was cloned: its dvc.lock is committed, and DVC's cache is empty."""
    git("init", "-q")
    assert projects.Project(here, warm.programs()).run("dvc", "init", "-q").returncode == 0
    for name, text in {
        "dvc.yaml": PIPELINE,
        "params.yaml": "number: 4\n",
        "double.py": DOUBLE,
        ".gitignore": "/models\n/computed\n/.convscope\n/src\n",
    }.items():
        Path(here, name).write_text(text)
    make("repro")
    git("add", "-A")
    git("commit", "-qm", "made elsewhere")
    git("clean", "-qfdX")


@pytest.mark.usefixtures("cloned")
@pytest.mark.pipeline
def test_repro_says_first_what_it_runs_and_last_what_changed_and_undo_loses_nothing_computed():
    Path("params.yaml").write_text("number: 5\n")
    Path("notes.txt").write_text("mine")
    lines = make("repro")
    assert lines[0] == "convscope: 1 of 1 stages to run"
    assert lines[1] == "convscope:   double: number changed"
    assert "the next `make repro` says here what has changed since this one" in lines
    assert OUT.read_text() == "10"

    lines = make("undo")  # the committed state's output is in no cache
    assert "  number: 5 -> 4" in lines
    assert OUT.read_text() == "8"
    assert git("status", "--porcelain") == "?? notes.txt\n"
    lines = make("repro")
    assert lines[0].startswith("convscope: nothing seems to have changed")
    assert "no parameter and no result has changed since the last `make repro`" in lines

    git("stash", "pop")
    make("repro")
    assert OUT.read_text() == "10"
    assert computed() == ["5", "4"]  # each once
