"""Runs states of the project in a temporary clone, which shares the caches of the project's folder.

Nothing of the folder changes but what is kept in its caches, DVC's and the store of finished runs,
both of which are written file by file, completely or not at all.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType

from convscope.base import locks, paths
from convscope.base.errors import UserError
from convscope.comparison import programs
from convscope.comparison.programs import FailedError, git
from convscope.comparison.state import State

SHORT = 10
PREFIX = "convscope-compare-"
AUTHOR = ("-c", "user.name=convscope", "-c", "user.email=convscope@localhost")
# what a run with DVC keeps between two states
KEPT = (".dvc", paths.KEPT.name)
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
        asked = ("--show-toplevel", "--show-prefix", "--git-path", "objects")
        try:
            found = git("rev-parse", "--path-format=absolute", *asked)
        except FailedError as error:
            raise UserError(
                "comparing needs a git repository with a commit: run `git init`, `git add --all` "
                f"and `git commit` (git says: {error.reason})"
            ) from None
        told = found.split("\n")
        if len(told) != len(asked) - 1:  # it gives back the options that it does not know
            raise UserError("comparing needs git 2.31 or later: install that")
        top, prefix, objects = told
        self._top, self._here, self._repository = Path(top), Path.cwd(), folder / "project"
        self._results, self._site, self._programs = (
            folder / name for name in ("states", "site", "programs")
        )
        self.project = self._repository / prefix
        git("init", "--quiet", str(self._repository))
        borrowed = self._repository / ".git/objects/info/alternates"
        borrowed.write_text(f"{objects}\n", encoding="utf-8")
        for name in ("shallow", "info/exclude"):
            with suppress(FileNotFoundError):
                known = git("rev-parse", "--path-format=absolute", "--git-path", name)
                shutil.copyfile(known, self._repository / ".git" / name)

    def revision(self, text: str, what: str) -> Revision:
        """The commit that a user means.

        Raises:
            UserError: The repository has no such commit.
        """
        command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
        try:
            commit = git(*command)
        except FailedError:
            raise UserError(
                f"{what}: {text!r} is not a commit of this repository: name a commit, a branch or "
                "a tag (a shallow clone lacks the earlier ones: `git fetch --unshallow`)"
            ) from None
        short = commit[:SHORT]
        return Revision(commit, short if commit.startswith(text) else f"{text} ({short})")

    def working_tree(self) -> Revision:
        """The current commit with all changes that are not committed, new files among them.

        They become a commit of the clone: the project's own index is not touched.
        """
        head = git("rev-parse", "--verify", "HEAD")
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
        code, last = programs.followed(["dvc", "repro"], self.project, self._environment(), role)
        seconds = time.monotonic() - began
        if code:
            raise UserError(
                f"{role} {revision.name} does not run here: `dvc repro` ended with {code} "
                f"({' | '.join(last)}): mend it, or compare with another commit"
            )
        return State(revision.name, self._keep(role), seconds)

    @cached_property
    def _cache(self) -> Path:
        """The project's own DVC cache, wherever its configuration has it."""
        return Path(programs.said(["dvc", "cache", "dir"], self._here))

    def _share(self) -> None:
        """Give the clone the caches, the downloads and the locks of the project's folder."""
        # training looks for finished runs in the usual place
        _link(self.project / ".dvc/cache", self._cache)
        with suppress(FileNotFoundError):
            shutil.copyfile(self._here / ".dvc/config.local", self.project / ".dvc/config.local")
        if self._cache != self._here / ".dvc/cache":
            local = ["dvc", "cache", "dir", "--local", str(self._cache)]
            programs.said(local, self.project)
        for shared in (paths.KEPT_RUNS, locks.LOCKS):
            _link(self.project / shared, self._here / shared)
        if (self._here / paths.ARCHIVES).is_dir():
            _link(self.project / paths.ARCHIVES, self._here / paths.ARCHIVES)

    def _environment(self) -> dict[str, str]:
        """The clone's own sources, and runs that are tracked in the clone and go with it."""
        sources = [str(self.project / "src"), os.environ.get("PYTHONPATH", "")]
        return programs.without_git() | {
            "PATH": os.pathsep.join([*map(str, self._own_programs()), programs.path()]),
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
        return git("--git-dir", str(self._repository / ".git"), *arguments, at=self._repository)


@contextmanager
def cloned() -> Iterator[Clone]:
    """A clone that is gone after the block, also where this process is told to end."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    # under nohup a terminal that is closed ends nothing
    heeded = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
            yield Clone(Path(folder).resolve())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _link(place: Path, target: Path) -> None:
    """Make a folder's place a link to another, which is made if it is not there."""
    target.mkdir(parents=True, exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(target)
