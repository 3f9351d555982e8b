"""Runs git and DVC: with the programs that belong to this Python, and so that both can be ended."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from convscope.base.errors import UserError

LAST_LINES = 4
GRACE_SECONDS = 10


class FailedError(UserError):
    """A command that is there ended in an error, for a ``reason`` in its own words."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"`{command}` failed ({reason}): put that right, and compare again")
        self.reason = reason


def followed(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], role: str
) -> tuple[int, list[str]]:
    """Run a command and pass its lines on to standard error; its exit code and its last lines.

    Nothing that it started is left running.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # so that whatever it starts can be ended with it
    )
    try:
        assert process.stdout is not None, "it is a pipe"
        for line in process.stdout:
            if text := line.strip():
                print(f"{role} | {text}", file=sys.stderr, flush=True)
                last.append(" ".join(text.split()))
        return process.wait(), list(last)
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End a command that was interrupted, or what one that has ended left at work."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)


def said(command: Sequence[str], folder: Path) -> str:
    """What a command prints, less the last line's end; a UserError where it is not installed.

    Raises:
        FailedError: It failed.
    """
    environment = without_git() | {"PATH": path()}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} is not installed here: install it (comparing needs git and DVC)"
        ) from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()) or f"exit code {error.returncode}"
        raise FailedError(" ".join(command), reason) from None
    return done.stdout.removesuffix("\n")


def git(*arguments: str, at: Path | None = None) -> str:
    """The same of git, in the current folder where no other is named."""
    return said(["git", *arguments], at or Path.cwd())


def path() -> str:
    """Where programs are looked for: also beside this Python, where convscope and DVC are."""
    beside, known = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    return known if beside in known.split(os.pathsep) else os.pathsep.join([beside, known])


def without_git() -> dict[str, str]:
    """The environment without what git tells its hooks, which is of another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
