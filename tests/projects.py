"""Copies of this project in temporary folders, shrunk so that every stage takes a second or two."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
# nothing listens on this port
NO_SERVER = "http://127.0.0.1:9"
PARAMS: dict[str, Any] = YAML(typ="safe").load((ROOT / "params.yaml").read_text())


def write_yaml(content: Any, path: Path) -> None:
    """Write a file as ``YAML().dump`` does, in a quarter of its time."""
    compiled = YAML(typ="safe")
    compiled.default_flow_style, compiled.sort_base_mapping_type_on_output = False, False
    compiled.dump(content, path)


def shrunk(params: dict[str, Any] = PARAMS) -> dict[str, Any]:
    """The real configuration with few images, short grids of narrow networks, small surveys."""
    small = copy.deepcopy(params)
    small["data"] |= {"train_images": 120, "test_images": 60}
    for grid in small["nets"].values():
        grid |= {"epochs": 2, "batch_size": [32], "stride": [1], "kernel_size": [3]}
    small["nets"]["baseline"]["lr"] = [0.02]
    for net, grid in small["nets"].items():
        grid["l1_oc"] = {"baseline": [6], "net1": [4, 6]}.get(net, [4])
        grid["dropout_rate"] = [0.1, 0.3] if net == "net3" else grid["dropout_rate"][:1]
    small["occlusion"] |= {"images": 2, "window_sizes": [9, 28], "survey_images": 4}
    small["filter_ablation"] |= {"atlas_images": 20, "filters": {"conv1": [0, 1], "conv5": [2]}}
    small["filter_identify"] |= {"top_k": 6, "filters": {"conv1": [0, 1], "conv5": [2]}}
    return small


def one_run(**changes: Any) -> dict[str, Any]:
    """The shrunk configuration with one run of one epoch as net1; ``changes`` go to its grid."""
    small = shrunk()
    small["nets"]["net1"] |= {"epochs": 1, "l1_oc": [4], "batch_size": [16], **changes}
    return small


def contents(folder: Path, *parts: str | Path) -> dict[str, bytes]:
    """The bytes of all files in a folder, or in parts of it, by their paths there."""
    tops = [folder / part for part in parts] or [folder]
    files = (path for top in tops for path in sorted(top.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def snapshot(folder: Path) -> tuple[dict[Path, int], dict[str, bytes]]:
    """When all that is in a folder was changed, and the bytes of its files."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}, contents(folder)


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the current folder."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


class Project:
    """A folder with this project's files, and the folder of the programs that work there."""

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        self.folder, self.programs = folder, programs or Path(sys.executable).parent

    def write_params(self, params: dict[str, Any]) -> None:
        """Replace params.yaml."""
        write_yaml(params, self.folder / "params.yaml")

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command there, with this copy's own source and without a terminal."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of a command there: this Python, its own source and store, one worker."""
        path = [str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        home = {"PATH": os.pathsep.join(path), "PYTHONPATH": str(self.folder / "src")}
        defaults = {"MLFLOW_TRACKING_URI": "", "CONVSCOPE_WORKERS": "1", "VENV": ""}
        return {**os.environ, **home, **defaults, **more}

    def repro(self, *arguments: str, **environment: str) -> list[str]:
        """Run ``dvc repro`` and return the stages that it ran."""
        done = self.run("dvc", "repro", *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def copied(folder: Path, *programs: Path, results: bool = False) -> Project:
    """Copy this project's files, committed or not, into a repository of their own.

    Without the kept results, most of its bytes, unless they are asked for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "."]
    listed += [] if results else [":!docs/results"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "copy"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return Project(folder, *programs)


def fresh(folder: Path, *programs: Path) -> Project:
    """A copy of this project, shrunk, in which nothing has run."""
    project = copied(folder, *programs)
    (folder / "dvc.lock").unlink(missing_ok=True)
    project.write_params(shrunk())
    return project
