"""Makes the environment that `make` uses: a folder of Python's venv, with the pinned requirements.

Any Python 3.6 or later runs this file, so that it can say which ones run the project. What was
moved or copied is pointed to where it lies now; what is of another Python is made anew.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent
REQUIREMENTS = (PROJECT / "pyproject.toml", PROJECT / "constraints.txt")
STAMP = ".installed"
# how pip begins a script: of a short path without spaces, and of any other
HEADER = re.compile(rb"#!(?:/bin/sh\n'''exec' .*\n' '''|.*python[0-9.]*)\n")
# what can stand behind #! as it is, on all systems
PLAIN, LONGEST = re.compile(r"[-+./@\w]+\Z"), 127
ANOTHER = "name another one: `make install PYTHON=/path/to/python3.12`"


class RefusedError(Exception):
    """What a user can put right, in one line."""


def main() -> int:
    """Install into the folder ``VENV``, by the Python ``PYTHON`` where the environment names one.

    Returns:
        The exit code: 0, or 2 with a line on standard error.
    """
    venv, asked = os.environ.get("VENV", ".venv"), os.environ.get("PYTHON", "")
    try:
        if venv:  # else what the caller has activated is used as it is
            install(Path.cwd() / venv, asked)
    except RefusedError as error:
        print(f"convscope: {error}", file=sys.stderr)
    except OSError as error:
        print(f"convscope: {error.filename}: {error.strerror}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        said = f"{error.cmd[0]} ended with code {error.returncode}; what it says is above"
        print(f"convscope: {said}: mend that, and run the same command again", file=sys.stderr)
    except KeyboardInterrupt:
        print("convscope: interrupted: the same command goes on", file=sys.stderr)
    else:
        return 0
    return 2


def install(venv: Path, asked: str = "") -> None:
    """Make an environment, or bring it up to date; one that is up to date stays untouched.

    Args:
        venv: Its folder, an absolute path.
        asked: The Python that it shall have; "" for what it has, or else what is at hand.

    Raises:
        RefusedError: There is no Python that would do, or the folder is something else.
        CalledProcessError: venv or pip failed, and has said why.
    """
    others = [each for each in os.environ["PATH"].split(os.pathsep) if each != str(venv / "bin")]
    os.environ["PATH"] = os.pathsep.join(others)  # an environment is not made by itself
    python, stamp = str(venv / "bin/python"), venv / STAMP
    wanted = version(chosen(asked)) if asked else ""
    has = version(python)
    if not is_supported(has) or (wanted and minor(wanted) != minor(has)):
        make(venv, chosen(asked))
        has = version(python)
    before = stamp.read_text(encoding="utf-8").splitlines() if stamp.is_file() else []
    now = [str(venv), str(PROJECT), minor(has), digest()]
    if before == now:
        return
    if stamp.is_file():
        stamp.unlink()
    moved = before[2:] == now[2:]
    if moved:
        print(f"{venv} or its project lay elsewhere before: it is pointed here", flush=True)
    else:
        print(
            f"installing the pinned requirements into {venv}, by Python {has}: minutes at first, "
            'for about 2 GB (with CUDA 3 GB more: README, "Install")',
            flush=True,
        )
    pip(python, moved)
    if not moved:  # pip compiles by one processor, and tests too; templates that are no Python fail
        packages = venv / f"lib/python{minor(has)}/site-packages"
        compiling = [python, "-m", "compileall", "-qq", "-j", "0", "-x", "/tests/", str(packages)]
        subprocess.run(compiling, check=False)
    if is_of_venv(venv):
        point(venv)
    stamp.write_text("\n".join(now) + "\n", encoding="utf-8")


def is_of_venv(folder: Path) -> bool:
    """Whether a folder is an environment of Python's venv, and no other, such as conda's."""
    return (folder / "pyvenv.cfg").is_file()


def make(venv: Path, python: str) -> None:
    """Make an empty environment; what is there must be one, which is emptied."""
    if venv.is_dir() and any(venv.iterdir()) and not is_of_venv(venv):
        raise RefusedError(
            f"{venv} is in the way of an environment with {python}, and venv did not make it: "
            "name another folder, `make install VENV=/path/to/environment`, or remove it"
        )
    subprocess.run([python, "-m", "venv", "--clear", str(venv)], check=True)


def pip(python: str, moved: bool) -> None:
    """Have pip install the project with its requirements; without them where it only moved."""
    if subprocess.run([python, "-c", "import pip"], stderr=subprocess.DEVNULL).returncode:
        subprocess.run([python, "-m", "ensurepip"], check=True)
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
    if moved:
        command += ["--quiet", "--no-deps", "--no-build-isolation", "--editable", "."]
    else:
        command += ["--constraint", "constraints.txt", "--editable", ".[dev]"]
    subprocess.run(command, check=True, cwd=str(PROJECT))


def point(venv: Path) -> None:
    """Let all scripts of an environment run by its Python, whatever characters its path has."""
    python, activate = str(venv / "bin/python"), venv / "bin/activate"
    if not activate.is_file() or str(venv) not in activate.read_text(encoding="utf-8"):
        subprocess.run([python, "-m", "venv", "--without-pip", str(venv)], check=True)
    header = f"#!{python}\n"
    if len(header) > LONGEST or not PLAIN.match(python):
        header = f"#!/bin/sh\n'''exec' {shlex.quote(python)} \"$0\" \"$@\"\n' '''\n"
    for script in sorted((venv / "bin").iterdir()):
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        former = HEADER.match(content)
        if former and former.group() != header.encode():
            partial = script.with_name(f".{script.name}.partial")
            partial.write_bytes(header.encode() + content[former.end() :])
            shutil.copymode(str(script), str(partial))
            partial.replace(script)


def chosen(asked: str) -> str:
    """The Python to make an environment with: the one that is asked for, or what is at hand.

    Raises:
        RefusedError: It does not run, is too old or too new, or cannot make environments.
    """
    first, last = supported()
    numbered = [f"python3.{each}" for each in range(last, first - 1, -1)]
    names = [asked] if asked else ["python3", *numbered]
    versions = {name: version(name) for name in names}
    fitting = [name for name in names if is_supported(versions[name])]
    for name in fitting:
        if not subprocess.run(
            [name, "-c", "import ensurepip"], stderr=subprocess.DEVNULL
        ).returncode:
            return name
    needed = f"convscope needs Python 3.{first} to 3.{last}"
    if fitting:
        package = f"`apt install python{minor(versions[fitting[0]])}-venv` on Debian and Ubuntu"
        raise RefusedError(f"{fitting[0]} lacks ensurepip: install it ({package}), or {ANOTHER}")
    if versions[names[0]]:
        raise RefusedError(f"{names[0]} is Python {versions[names[0]]}, and {needed}: {ANOTHER}")
    raise RefusedError(f"{names[0]} does not run, and {needed}: {ANOTHER}")


def version(python: str) -> str:
    """The version of a Python, such as "3.12.1"; "" of what does not run."""
    command = [python, "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"]
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, encoding="utf-8").strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def minor(version: str) -> str:
    """The first two numbers of a version."""
    return ".".join(version.split(".")[:2])


def is_supported(version: str) -> bool:
    """Whether the project runs by a version of Python."""
    first, last = supported()
    return minor(version) in [f"3.{each}" for each in range(first, last + 1)]


def supported() -> "tuple[int, int]":
    """The first and the last 3.x that pyproject.toml admits."""
    text = REQUIREMENTS[0].read_text(encoding="utf-8")
    found = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', text, re.MULTILINE)
    assert found is not None, "pyproject.toml says which Python"
    return int(found.group(1)), int(found.group(2)) - 1


def digest() -> str:
    """A hash of what says which requirements are installed."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in REQUIREMENTS)).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
