"""How `make` comes by its environment; pip, which takes minutes, is played by a few lines."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import projects

# a Python of the tests' own, but for its version, and for pip, which makes one script
PYTHON = """#!{python} -SE
import os, subprocess, sys
from pathlib import Path
arguments, version, here = sys.argv[1:], {version!r}, Path(__file__)
if arguments[0] == "-c" and "version_info" in arguments[1]:
    print(version)
elif arguments == ["-c", "import pip"]:
    pass
elif arguments[:2] == ["-c", "import ensurepip"]:
    sys.exit({lacks!r} in arguments[1])
elif arguments[:2] == ["-m", "venv"]:
    made = Path(arguments[-1])
    subprocess.run([{python!r}, "-m", "venv", "--without-pip", *arguments[2:]], check=True)
    link, text = made / "bin/python", here.read_text()
    link.unlink()
    link.write_text(text)
    link.chmod(0o755)
elif arguments[:3] == ["-m", "pip", "install"]:
    with Path("pip.log").open("a") as log:
        print(version, *arguments[3:], file=log)
    script = here.with_name("greet")
    script.write_text(f"#!{{here}}3\\nimport sys\\nprint('hello', *sys.argv[1:])\\n")
    script.chmod(0o755)
    sys.exit(Path("pip.fails").exists())
elif arguments[0] != "-m":
    os.execv({python!r}, [{python!r}, *arguments])
"""


def fake(path, version="3.12.9", lacks="nothing"):
    path.parent.mkdir(exist_ok=True)
    path.write_text(PYTHON.format(python=sys.executable, version=version, lacks=lacks))
    path.chmod(0o755)
    return str(path)


class Clone:
    """A project folder of what `make install` needs, and the Pythons that are on PATH there."""

    def __init__(self, folder: Path, pythons: Path) -> None:
        folder.mkdir()
        self.folder, self.pythons = folder, pythons
        for name in ("Makefile", "install.py", "pyproject.toml", "constraints.txt"):
            shutil.copy(projects.ROOT / name, folder)
        self.bin = folder / ".venv/bin"

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        names = {"PATH": str(self.pythons), **environment}
        command = [str(shutil.which("make")), "--no-print-directory", "install", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=names, capture_output=True, text=True, check=False
        )

    def installs(self, *arguments: str, **environment: str) -> str:
        done = self.make(*arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuses(self, *arguments: str) -> str:
        done = self.make(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        line, makes_own = done.stderr.splitlines()
        assert makes_own.startswith("make: *** ")
        return line.removeprefix("convscope: ")

    def log(self) -> list[str]:
        log = self.folder / "pip.log"
        return log.read_text().splitlines() if log.exists() else []

    def greet(self) -> str:
        return subprocess.check_output([self.bin / "greet", "you"], text=True)


@pytest.fixture
def pythons(tmp_path):
    folder = tmp_path / "pythons"
    fake(folder / "python3")
    (folder / "bash").symlink_to(str(shutil.which("bash")))
    return folder


@pytest.fixture
def clone(tmp_path, pythons):
    return Clone(tmp_path / "clone", pythons)


def test_requirements_are_installed_once_and_when_they_change(clone):
    said = clone.installs()
    assert f"into {clone.folder}/.venv, by Python 3.12.9: minutes at first" in said
    assert clone.installs() == ""
    assert clone.log() == [
        "3.12.9 --disable-pip-version-check --no-compile --constraint constraints.txt "
        "--editable .[dev]"
    ]
    os.utime(clone.folder / "constraints.txt")  # as a checkout of the same file does
    assert clone.installs() == ""
    with (clone.folder / "constraints.txt").open("a") as constraints:
        constraints.write("# other\n")
    (clone.folder / "pip.fails").touch()
    assert clone.refuses() == (
        f"{clone.bin}/python ended with code 1; what it says is above: mend that, and run the same "
        "command again"
    )
    (clone.folder / "pip.fails").unlink()
    clone.installs()
    assert len(clone.log()) == 3


@pytest.mark.parametrize("name", ["renamed", "100% é 数据", 'it\'s "5$" #1`', "long" * 50])
def test_a_folder_that_was_moved_is_pointed_to_where_it_is(name, clone, tmp_path):
    clone.installs()
    assert clone.greet() == "hello you\n"
    clone.folder.rename(tmp_path / name)
    clone.folder, clone.bin = tmp_path / name, tmp_path / name / ".venv/bin"
    with pytest.raises(FileNotFoundError):
        clone.greet()
    said = clone.installs()
    assert said == f"{clone.folder}/.venv or its project lay elsewhere before: it is pointed here\n"
    assert clone.log()[1:] == [
        "3.12.9 --disable-pip-version-check --no-compile --quiet --no-deps --no-build-isolation "
        "--editable ."
    ]
    assert clone.greet() == "hello you\n"
    assert clone.installs() == ""


def test_a_copy_is_pointed_to_itself_and_its_original_stays(clone, tmp_path):
    clone.installs()
    copy = tmp_path / "copy"
    shutil.copytree(clone.folder, copy, symlinks=True)
    original, clone.folder = clone.folder, copy
    clone.installs()
    for folder in (original, copy):
        assert f"{folder}/.venv" in (folder / ".venv/bin/activate").read_text()
        assert (folder / ".venv/bin/greet").read_text().startswith(f"#!{folder}/.venv/bin/python\n")


def test_the_python_that_is_asked_for_replaces_another(clone, pythons):
    clone.installs()
    other = fake(pythons / "python3.13", "3.13.1")
    clone.installs(PYTHON="python3.13")
    assert [line.split()[0] for line in clone.log()] == ["3.12.9", "3.13.1"]
    assert clone.installs(f"PYTHON={other}") == clone.installs() == ""
    clone.installs("PYTHON=python3")
    assert clone.log()[-1].startswith("3.12.9 ")


def test_an_environment_whose_python_is_gone_is_made_anew(clone):
    clone.installs()
    (clone.bin / "python").unlink()
    (clone.bin / "python").symlink_to("/absent/python")
    clone.installs()
    assert len(clone.log()) == 2
    assert clone.greet() == "hello you\n"


def test_a_python_that_does_not_fit_is_refused_before_anything_is_made(clone, pythons):
    needs = "and convscope needs Python 3.11 to 3.13: name another one: `make install PYTHON="
    old = fake(pythons / "old", "3.10.13")
    assert clone.refuses(f"PYTHON={old}").startswith(f"{old} is Python 3.10.13, {needs}")
    assert clone.refuses("PYTHON=python3.99").startswith(f"python3.99 does not run, {needs}")
    fake(pythons / "python3", "3.14.0")
    assert clone.refuses().startswith(f"python3 is Python 3.14.0, {needs}")
    fake(pythons / "python3", "3.11.2", lacks="ensurepip")
    assert clone.refuses().startswith(
        "python3 lacks ensurepip: install it (`apt install python3.11-venv` on Debian and Ubuntu)"
    )
    assert not clone.bin.exists()
    fake(pythons / "python3.12")
    assert "Python 3.12.9" in clone.installs()


def test_without_any_python_a_line_says_so(clone, pythons):
    (pythons / "python3").unlink()
    done = clone.make()
    assert done.stderr.startswith("convscope: there is no python3: install Python")


def test_a_folder_that_venv_did_not_make_is_never_emptied(clone):
    mine = clone.folder / "mine"
    mine.mkdir()
    (mine / "thesis").touch()
    assert f"{mine} is in the way of an environment" in clone.refuses("VENV=mine")
    assert [path.name for path in mine.iterdir()] == ["thesis"]


def test_another_environment_is_used_as_it_is(clone, tmp_path):
    conda = tmp_path / "conda 1"
    (conda / "lib").mkdir(parents=True)
    fake(conda / "bin/python", "3.11.4")
    before = (conda / "bin/python").read_bytes()
    clone.installs(f"VENV={conda}")
    assert clone.log()[0].startswith("3.11.4 --disable")
    assert (conda / "bin/greet").read_text().startswith(f"#!{conda}/bin/python3\n")
    assert (conda / "bin/python").read_bytes() == before
    assert clone.installs(VENV=str(conda)) == clone.installs(VENV="") == ""
    assert not clone.bin.exists()


@pytest.mark.parametrize("name", ["other", "/an other", ""])
def test_programs_come_from_the_environment_that_is_named(name, clone, pythons, tmp_path):
    venv = str(tmp_path) + name if name.startswith("/") else name
    folder = clone.folder / venv / "bin" if venv else pythons
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "convscope").write_text("#!/bin/sh\necho here: $1\n")
    (folder / "convscope").chmod(0o755)
    said = clone.installs("-o", "install", "plots", f"VENV={venv}")
    assert said.splitlines()[-1] == "here: plots"


def test_any_python_3_can_read_the_installer():
    text = (projects.ROOT / "install.py").read_text()
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__" not in text
