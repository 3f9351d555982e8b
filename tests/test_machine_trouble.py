"""What a machine can refuse: one clear line, and nothing that stands in the way afterwards."""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from ruamel.yaml import YAML

from convscope import cli
from convscope.base import paths
from convscope.data import datasets
from convscope.tracking import server
from tests import projects, toys

STORE = Path(".convscope/runs")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose net1 is one run of one epoch, without MLflow."""
    refuses = Mock(side_effect=ConnectionError("switched off by a test"))
    monkeypatch.setattr(server, "open_client", refuses)
    monkeypatch.setenv("CONVSCOPE_WORKERS", "1")
    monkeypatch.setenv("CONVSCOPE_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    write_params()
    datasets.save(toys.red_or_blue(), paths.DATASET)
    return tmp_path


def write_params(**changes):
    YAML().dump(projects.one_run(**changes), Path("params.yaml"))


def refused(capfd):
    """The one line with which the stage ends, apart from what it says of MLflow."""
    assert cli.main(["train", "net1"]) == 2
    lines = capfd.readouterr().err.splitlines()
    (line,) = [line for line in lines if "warning: train@net1: not tracked" not in line]
    assert line.startswith("convscope: ")
    return line


def is_complete():
    """Whether a plain run ends well and leaves nothing temporary."""
    assert cli.main(["train", "net1"]) == 0
    assert Path("models/net1/best.json").is_file()
    assert not [path for path in Path().rglob("*") if ".partial" in path.name]
    return True


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount here")
@pytest.mark.parametrize(
    ("folder", "options", "reason"),
    [
        (str(STORE), "size=8k", "No space left on device"),
        (str(STORE), "size=60k", "No space left on device"),
        (".convscope", "ro", "Read-only file system"),
        ("reports", "ro", "Read-only file system"),
    ],
    ids=["full at once", "full in the weights", "read-only store", "read-only reports"],
)
def test_a_disk_that_is_full_or_read_only(folder, options, reason, project, capfd):
    disk = project / folder
    disk.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no right to mount a file system: {done.stderr.strip()}")
    try:
        line = refused(capfd)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert reason in line
    assert folder in line
    assert is_complete()


@contextlib.contextmanager
def limited(what, size):
    """Let the system refuse this process more than so many bytes of something."""
    before = resource.getrlimit(what)
    resource.setrlimit(what, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


@pytest.mark.usefixtures("project")
def test_a_file_that_may_not_grow(capfd):
    with limited(resource.RLIMIT_FSIZE, 20_000):
        assert "File too large" in refused(capfd)
    assert is_complete()


@pytest.mark.usefixtures("project")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_a_network_that_memory_cannot_hold(capfd):
    assert is_complete()
    write_params(l1_oc=[1024])
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    with limited(resource.RLIMIT_AS, pages * resource.getpagesize() + 2**27):
        line = refused(capfd)
    assert "needs more memory than there is: lower its batch_size or l1_oc" in line
    write_params()
    assert is_complete()


def test_a_clock_that_jumps(project, monkeypatch):
    assert is_complete()
    expected = projects.contents(Path("models"))
    shutil.rmtree(STORE)
    jumps = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: 1e9 * (next(jumps) % 3))
    for path in project.rglob("*"):
        os.utime(path, (4e9, 4e9) if len(path.name) % 2 else (0, 0))
    assert is_complete()
    assert projects.contents(Path("models")) == expected


def twice_at_once(command, **options):
    """What two processes of a command that start together print, and their exit codes."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    both = [subprocess.Popen(command, **streams, **options) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    return said, [process.returncode for process in both]


@pytest.mark.pipeline
@pytest.mark.usefixtures("project")
def test_two_stages_at_once_train_each_run_once_and_leave_the_same():
    write_params(epochs=6)
    source = str(projects.ROOT / "src")
    environment = {**os.environ, "PYTHONPATH": source, "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "convscope.cli", "train", "net1"]
    said, ended = twice_at_once(command, env=environment)
    assert ended == [0, 0], said
    trained = Path("logs/timings.csv").read_text().splitlines()
    assert len([line for line in trained if ",l1_oc4-" in line]) == 1
    assert is_complete()


@pytest.mark.pipeline
def test_two_pipelines_at_once_one_works_and_the_other_says_so(tmp_path):
    project = projects.copied(tmp_path / "project")
    command = [sys.executable, "-m", "dvc", "repro", "download"]
    said, ended = twice_at_once(command, cwd=project.folder, env=project.environment())
    assert 0 in ended, said
    refused = [text for code, text in zip(ended, said, strict=True) if code]
    assert all("lock" in text or "busy" in text for text in refused)
    assert "Stage 'download' didn't change" in project.run(*command).stdout
