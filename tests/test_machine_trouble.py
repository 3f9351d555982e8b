"""What a machine can refuse: one clear line, and nothing that stands in the way afterwards."""

import contextlib
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from convscope import cli
from convscope.tracking import server
from tests import projects

STORE = Path(".convscope/runs")


@pytest.fixture
def project(one_run, monkeypatch):
    """A project whose net1 is one run of one epoch, without MLflow."""
    refuses = Mock(side_effect=ConnectionError("switched off by a test"))
    monkeypatch.setattr(server, "open_client", refuses)
    return projects.Project(one_run)


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
    disk = project.folder / folder
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


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_a_network_that_memory_cannot_hold(project, capfd):
    assert is_complete()
    # of one allocation: this process may have much memory that other tests have freed
    project.write_params(projects.one_run(l1_oc=[1024], kernel_size=[7], filter_multiplier=[3.0]))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    with limited(resource.RLIMIT_AS, pages * resource.getpagesize() + 2**27):
        line = refused(capfd)
    assert "needs more memory than there is: lower its batch_size or l1_oc" in line
    project.write_params(projects.one_run())
    assert is_complete()


def test_a_clock_that_jumps(project, monkeypatch):
    assert is_complete()
    expected = projects.contents(Path("models"))
    shutil.rmtree(STORE)
    jumps = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: 1e9 * (next(jumps) % 3))
    for path in project.folder.rglob("*"):
        os.utime(path, (4e9, 4e9) if len(path.name) % 2 else (0, 0))
    assert is_complete()
    assert projects.contents(Path("models")) == expected


def test_two_stages_at_once_train_each_run_once_and_leave_the_same(project):
    project.write_params(projects.one_run(epochs=6))
    forks = multiprocessing.get_context("fork")
    both = [forks.Process(target=lambda: sys.exit(cli.main(["train", "net1"]))) for _ in range(2)]
    for stage in both:
        stage.start()
    for stage in both:
        stage.join()
    assert [stage.exitcode for stage in both] == [0, 0]
    trained = Path("logs/timings.csv").read_text().splitlines()
    assert len([line for line in trained if ",l1_oc4-" in line]) == 1
    assert is_complete()
