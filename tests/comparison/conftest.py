"""A repository whose pipeline is a few lines of shell, in the place of DVC."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.comparison import states

# "repro" makes of a committed folder what the pipeline would leave, and says where it ran
DVC = """#!/bin/bash
set -e
case "$1" in
cache) echo "$PWD/.dvc/cache";;
repro)
    echo "$PWD" >>"$SEEN"
    cp -r made/. .
    [ ! -f src/convscope/cli.py ] || convscope download
    [ ! -f leaves ] || { sleep 611 </dev/null >/dev/null 2>&1 & }
    [ ! -f slow ] || { touch "$SEEN.slow"; sleep 600; }
    [ ! -f fails ] || { echo "first"; echo "convscope: net1 is broken"; exit 3; };;
esac
"""


class Repository:
    """A project's repository, which is the current folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, folder.parent / "seen"

    def git(self, *arguments: str) -> str:
        author = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
        command = ["git", *author, *arguments]
        return subprocess.check_output(command, cwd=self.folder, text=True).strip()

    def commit(self, **changes: object) -> str:
        """Commit the files of a study, with changes (in them, ``__`` is a slash); the commit."""
        content = {name: value for name, value in states.files().items() if name != "params.yaml"}
        content |= {place.replace("__", "/"): value for place, value in changes.items()}
        states.write(self.folder / "made", content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a state")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A project with one commit, and the stand-in for DVC before all other programs."""
    (program := tmp_path / "bin/dvc").parent.mkdir()
    program.write_text(DVC)
    program.chmod(0o755)
    beside = Path(sys.executable).parent
    path = os.pathsep.join(map(str, (program.parent, beside, os.environ["PATH"])))
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    folder = tmp_path / "project"
    states.write(folder, {"params.yaml": states.PARAMS, "dvc.yaml": {}, ".gitignore": "ignored\n"})
    monkeypatch.chdir(folder)
    project = Repository(folder)
    project.git("init", "--quiet")
    project.commit()
    return project
