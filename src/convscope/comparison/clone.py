"""Runs states of the project in a temporary clone, which shares the caches of the project's folder.

Nothing of the folder changes but what is kept in its caches, DVC's and the store of finished runs,
both of which are written file by file, completely or not at all.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from convscope.base import locks, paths
from convscope.base.errors import UserError
from convscope.comparison.state import State
from convscope.training.grid import STORE

LAST_LINES = 4
GRACE_SECONDS = 10
SHORT = 10
AUTHOR = ("-c", "user.name=convscope", "-c", "user.email=convscope@localhost")
# what a run with DVC keeps between two states
KEPT = (".dvc", ".convscope")
# code from before there was `cli.program`, which the installed command calls
EARLIER = """#!{python}
import sys
from convscope.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""
RESULTS = ("*.csv", "*.json", "*.md", "*.html", "*.png")


@dataclass(frozen=True)
class Revision:
    """A commit that can be checked out in the clone, and what readers know it by."""

    commit: str
    name: str


class Clone:
    """A repository that borrows all objects of the project's own, and the folder of its project."""

    def __init__(self, folder: Path) -> None:
        """Make the repository in an empty folder.

        Raises:
            UserError: The current folder is not in a git repository, or git is not there.
        """
        top, prefix, objects = _git(
            *("rev-parse", "--path-format=absolute", "--show-toplevel", "--show-prefix"),
            *("--git-path", "objects"),
        ).split("\n")
        self._top, self._here, self._repository = Path(top), Path.cwd(), folder / "project"
        self._results, self._site, self._programs = (
            folder / name for name in ("states", "site", "programs")
        )
        self.project = self._repository / prefix
        _git("init", "--quiet", str(self._repository))
        borrowed = self._repository / ".git/objects/info/alternates"
        borrowed.write_text(f"{objects}\n", encoding="utf-8")
        for name in ("shallow", "info/exclude"):
            with suppress(FileNotFoundError):
                known = _git("rev-parse", "--path-format=absolute", "--git-path", name)
                shutil.copyfile(known, self._repository / ".git" / name)

    def revision(self, text: str, what: str) -> Revision:
        """The commit that a user means.

        Raises:
            UserError: The repository has no such commit.
        """
        command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
        try:
            commit = _git(*command)
        except UserError:
            raise UserError(
                f"{what}: {text!r} is no commit of this repository: name a commit, a branch or a "
                "tag (a shallow clone lacks the earlier ones: `git fetch --unshallow`)"
            ) from None
        short = commit[:SHORT]
        return Revision(commit, short if commit.startswith(text) else f"{text} ({short})")

    def working_tree(self) -> Revision:
        """The current commit with all changes that are not committed, new files among them.

        They become a commit of the clone: the project's own index is not touched.
        """
        head = _git("rev-parse", "--verify", "HEAD")
        self._git("read-tree", head)
        self._git("--work-tree", str(self._top), "-C", str(self._top), "add", "--all")
        tree = self._git("write-tree")
        if tree == self._git("rev-parse", f"{head}^{{tree}}"):
            return Revision(head, head[:SHORT])
        commit = self._git(*AUTHOR, "commit-tree", tree, "-p", head, "-m", "uncommitted changes")
        return Revision(commit, f"{head[:SHORT]} with uncommitted changes")

    def run(self, revision: Revision, role: str) -> State:
        """Check a revision out, run its pipeline by its own code, and keep what came of it.

        Raises:
            UserError: The revision has no pipeline, or its pipeline fails.
        """
        self._git("checkout", "--quiet", "--force", "--detach", revision.commit)
        kept = [word for name in KEPT for word in ("--exclude", name)]
        self._git("clean", "-qffdx", *kept)
        if not (self.project / "dvc.yaml").is_file():
            raise UserError(f"{role} {revision.name} has no dvc.yaml: compare with a later commit")
        self._share()
        began = time.monotonic()
        code, last = _followed(["dvc", "repro"], self.project, self._environment(), role)
        seconds = time.monotonic() - began
        if code:
            raise UserError(
                f"{role} {revision.name} does not run here: `dvc repro` ended with {code}, at "
                f"last with: {' | '.join(last)}"
            )
        return State(revision.name, self._keep(role), seconds)

    def _share(self) -> None:
        """Give the clone the caches, the downloads and the locks of the project's folder."""
        cache = Path(_said(["dvc", "cache", "dir"], self._here))
        # training looks for finished runs in the usual place
        _link(self.project / ".dvc/cache", cache)
        with suppress(FileNotFoundError):
            shutil.copyfile(self._here / ".dvc/config.local", self.project / ".dvc/config.local")
        if cache != self._here / ".dvc/cache":
            _said(["dvc", "cache", "dir", "--local", str(cache)], self.project)
        for shared in (STORE, locks.LOCKS):
            _link(self.project / shared, self._here / shared)
        if (self._here / paths.ARCHIVES).is_dir():
            _link(self.project / paths.ARCHIVES, self._here / paths.ARCHIVES)

    def _environment(self) -> dict[str, str]:
        """The clone's own sources, and runs that are tracked in the clone and go with it."""
        sources = [str(self.project / "src"), os.environ.get("PYTHONPATH", "")]
        return _without_git() | {
            "PATH": os.pathsep.join([*map(str, self._own_programs()), _path()]),
            "PYTHONPATH": os.pathsep.join(filter(None, sources)),
            "MLFLOW_TRACKING_URI": "",
            "DVC_SITE_CACHE_DIR": str(self._site),
        }

    def _own_programs(self) -> list[Path]:
        """The folder of a command ``convscope`` for code that does not fit the installed one."""
        own = self.project / "src/convscope/cli.py"
        if not own.is_file() or "def program(" in own.read_text(encoding="utf-8"):
            return []
        self._programs.mkdir(exist_ok=True)
        program = self._programs / "convscope"
        program.write_text(EARLIER.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        return [self._programs]

    def _keep(self, role: str) -> Path:
        """Copy a state's tables, documents, figures and pages out of the clone."""
        target = self._results / role
        for top in (paths.REPORTS, paths.MODELS, Path("logs")):
            for pattern in RESULTS:
                for path in (self.project / top).rglob(pattern):
                    copy = target / path.relative_to(self.project)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.project / paths.PARAMS, target / paths.PARAMS)
        return target

    def _git(self, *arguments: str) -> str:
        return _git("--git-dir", str(self._repository / ".git"), *arguments, at=self._repository)


@contextmanager
def cloned() -> Iterator[Clone]:
    """A clone that is gone after the block, also where this process is told to end."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        with tempfile.TemporaryDirectory(prefix="convscope-compare-") as folder:
            yield Clone(Path(folder).resolve())
    finally:
        signal.signal(signal.SIGTERM, before)


def _link(place: Path, target: Path) -> None:
    """Make a folder's place a link to another, which is made if it is not there."""
    target.mkdir(parents=True, exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(target)


def _followed(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], role: str
) -> tuple[int, list[str]]:
    """Run a command and pass its lines on to standard error; its exit code and its last lines."""
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
    except BaseException:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(GRACE_SECONDS)
        raise


def _said(command: Sequence[str], folder: Path) -> str:
    """What a command prints, less the last line's end; a UserError where it fails."""
    environment = _without_git() | {"PATH": _path()}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} is not installed here: comparing needs git and DVC"
        ) from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()) or f"exit code {error.returncode}"
        raise UserError(f"`{' '.join(command)}` failed: {reason}") from None
    return done.stdout.removesuffix("\n")


def _git(*arguments: str, at: Path | None = None) -> str:
    return _said(["git", *arguments], at or Path.cwd())


def _path() -> str:
    """Where programs are looked for: also beside this Python, where convscope and DVC are."""
    beside, known = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    return known if beside in known.split(os.pathsep) else os.pathsep.join([beside, known])


def _without_git() -> dict[str, str]:
    """The environment without what git tells its hooks, which is of another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
