"""Where a result came from: who ran what, the DVC experiment, the git commit and dvc.lock."""

import getpass
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from convscope.base.files import digest, folder_digest
from convscope.base.paths import command_of, net_of

GIT_SECONDS = 10
# all of the checkout, which may be larger than the project, but for two files of the project
_BUT_RECORDED = ("--", ":/", ":(exclude)params.yaml", ":(exclude)dvc.lock")


def provenance(root: Path, made: Iterable[Path] = ()) -> dict[str, str]:
    """Tags that say which state of the project a run belongs to; what is unknown is left out.

    ``dvc_experiment`` is there inside ``dvc exp run``, ``git_commit`` and ``git_dirty`` inside a
    git checkout that has a commit; MLflow's own pages want the commit under a name of theirs. A
    checkout is dirty when a tracked file differs from the commit, other than params.yaml and
    dvc.lock: ``dvc exp run`` rewrites these two, and they are recorded themselves, as the
    parameters and ``dvc_lock_md5``, which is there if dvc.lock records what the stage ``made``: DVC
    writes it after the stage has ended.
    """
    tags: dict[str, str] = {}
    if name := os.environ.get("DVC_EXP_NAME"):
        tags["dvc_experiment"] = name
    if commit := _git(root, "rev-parse", "--verify", "HEAD"):
        changes = _git(root, "status", "--porcelain", "--untracked-files=no", *_BUT_RECORDED)
        tags |= {"git_commit": commit, "mlflow.source.git.commit": commit}
        tags["git_dirty"] = "unknown" if changes is None else str(bool(changes)).lower()
    lock, outputs = root / "dvc.lock", list(made)
    if outputs and lock.exists():
        recorded = lock.read_text(encoding="utf-8")
        if all(f"md5: {_as_dvc(output)}\n" in recorded for output in outputs):
            tags["dvc_lock_md5"] = digest(lock)
    return tags


def source(stage: str) -> dict[str, str]:
    """Tags for the columns "User" and "Source" of MLflow's page: the command that makes a stage."""
    net = net_of(stage)
    command = f"convscope {command_of(f'train/{net}') if net else stage}"
    tags = {"mlflow.source.name": command, "mlflow.source.type": "LOCAL"}
    try:
        return {**tags, "mlflow.user": getpass.getuser()}
    except (OSError, KeyError):  # a container's user may have no name
        return tags


def _as_dvc(output: Path) -> str:
    """The digest of a file or folder as DVC computes it."""
    if output.is_file():
        return digest(output)
    found = (path for path in output.rglob("*") if path.is_file())
    return folder_digest({path.relative_to(output).as_posix(): digest(path) for path in found})


def _git(root: Path, *arguments: str) -> str | None:
    """What a git command prints, or None where git or the repository cannot answer."""
    command = ["git", "-C", str(root), "--no-optional-locks", *arguments]
    try:
        said = subprocess.check_output(
            command, text=True, stderr=subprocess.DEVNULL, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.strip()
