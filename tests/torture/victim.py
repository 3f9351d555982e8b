"""A copy of the project whose pipeline is started, killed and looked at."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests import projects
from tests.torture.state import OUTPUTS

POLL_SECONDS = 0.02
MADE = ("data", "models", "reports", "logs", ".convscope", "mlartifacts", ".dvc/tmp", ".dvc/cache")
# what `make repro` does once everything is installed
REPRO = '"$0" -m convscope.cli before && exec "$0" -m dvc repro $1'


class Victim(projects.Project):
    """A copy of the project in a new folder, with epochs enough for a kill between two of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(projects.copied(folder).folder)
        small = projects.shrunk()
        for grid in small["nets"].values():
            grid["epochs"] = 6
        self.write_params(small)
        self.empty()
        self.attempts: list[Attempt] = []

    def start(self, target: str = "") -> "Attempt":
        """Start the pipeline, with all its processes in a group of their own."""
        log = self.folder / f".dvc/tmp/attempt{len(self.attempts)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            process = subprocess.Popen(
                ["sh", "-c", REPRO, sys.executable, target],
                cwd=self.folder,
                env=self.environment(PYTHONUNBUFFERED="1", CONVSCOPE_WORKERS="2"),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.attempts.append(Attempt(process, log, self.folder))
        return self.attempts[-1]

    def settle(self, seconds: float) -> None:
        """Wait, at most so long, for stages that outlived their pipeline."""
        until = time.monotonic() + seconds
        while any(attempt.alive() for attempt in self.attempts) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        self.attempts.clear()

    def end(self) -> None:
        """Kill all that is left."""
        for attempt in self.attempts:
            attempt.kill("all")

    def finished_runs(self) -> dict[str, tuple[int, int]]:
        """The finished runs of the store, each with what a new write would change."""
        found = self.folder.glob(".convscope/runs/*/run.json")
        return {path.parent.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}

    def temporary(self) -> list[str]:
        """The temporary files that lie about now."""
        found = (name for top in (*OUTPUTS, ".convscope") for name in _names(self.folder / top))
        return sorted({str(Path(n).relative_to(self.folder)) for n in found if ".partial" in n})

    def empty(self) -> None:
        """Delete everything that the pipeline has made."""
        made = [path for name in MADE for path in self.folder.glob(f"{name}/*")]
        for path in (*made, *self.folder.glob("mlflow.db*"), *self.folder.glob("dvc.lock")):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "README.md":
                path.unlink()


@dataclass
class Attempt:
    """One started pipeline."""

    process: "subprocess.Popen[bytes]"
    log: Path
    folder: Path
    killed: str | None = None

    def output(self) -> str:
        """What it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stage(self) -> str:
        """Where it is: a stage's name, or between two of them in DVC itself."""
        _, begun, last = self.output().rpartition("Running stage '")
        if not begun:
            return "dvc, before a stage"
        name, _, after = last.partition("'")
        return "dvc, after a stage" if "Updating lock file" in after else name

    def kill(self, whom: str) -> str:
        """Kill ``all``, ``dvc``, ``stage`` or ``trainer``, and say whom: all if there is none."""
        victims = self._those(whom)
        self.killed = whom if victims else "all"
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if victims:
                victims[0].kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)
        return self.killed

    def wait(self, seconds: float) -> tuple[int, str]:
        """Wait for DVC's end: its exit code and all that was printed."""
        code = self.process.wait(seconds)
        if self.killed == "all":
            while self.alive():  # the dead are only gone when their parent has seen it
                time.sleep(POLL_SECONDS)
        return code, self.output()

    def alive(self) -> bool:
        """Whether any process of the group is there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 0)
            return True
        return False

    def runs_until(self, moment: float) -> bool:
        """Wait for a moment; False if DVC ended before it."""
        return self._runs_until(lambda: time.monotonic() >= moment)

    def runs_until_trained(self) -> bool:
        """Wait until a process trains; False if DVC ended before."""
        return self._runs_until(lambda: bool(self._those("trainer")))

    def runs_until_changed(self, changes: int) -> bool:
        """Wait until so many changes were seen on the disk; False if DVC ended before."""
        seen = [self._looks()]

        def changed() -> bool:
            if (now := self._looks()) != seen[-1]:
                seen.append(now)
            return len(seen) > changes

        return self._runs_until(changed)

    def _runs_until(self, met: Callable[[], bool]) -> bool:
        while not met() and self.process.poll() is None:
            time.sleep(POLL_SECONDS)
        return self.process.poll() is None

    def _those(self, whom: str) -> list[psutil.Process]:
        """Its processes of such a role."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            return [p for p in (root, *root.children(recursive=True)) if role(p) == whom]
        return []

    def _looks(self) -> list[str]:
        """The names that come and go while the pipeline works, and the size of its database."""
        names: list[str] = []
        for top in (*OUTPUTS, "dvc.lock", "mlflow.db", "mlflow.db-journal"):
            names += _names(self.folder / top)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                names.append(f"{top} {(self.folder / top).stat().st_mtime_ns}")
        return names


def _names(folder: Path) -> list[str]:
    """All that is in a folder from which things may vanish meanwhile."""
    walk = os.walk(folder)
    return [f"{top}/{name}" for top, folders, names in walk for name in (*folders, *names)]


def role(process: psutil.Process) -> str:
    """What a process of the pipeline does; empty for those that only help."""
    words: list[str] = []
    parents: list[str] = []
    with contextlib.suppress(psutil.Error):
        words, parent = process.cmdline(), process.parent()
        parents = parent.cmdline() if parent else []
    # under Linux those that train are forked from a server, and have its command line
    served = any("forkserver" in word for word in words) and words == parents
    if served or any("spawn_main" in word for word in words):
        return "trainer"
    if {"dvc", "repro"} <= set(words):
        return "dvc"
    return "stage" if any(word.endswith("/convscope") for word in words) else ""
