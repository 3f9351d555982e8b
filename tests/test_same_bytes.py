"""What a machine, a shell or a job scheduler may change, and no byte of a result with it."""

import os
import resource
import subprocess
import sys
from dataclasses import replace

import pytest

from convscope.data import datasets
from tests import projects, toys
from tests.base.test_kernels import MOVING

# all stages of one process, so that it imports torch once
STAGES = """
import sys
sys.path.insert(0, {source!r})
{first}
from convscope import cli
from convscope.tracking.tracker import Tracker
Tracker.publish = lambda self: None
stages = "train net1,train net4,evaluate,occlusion,filter-ablation,filter-identify"
sys.exit(max(cli.main(stage.split()) for stage in stages.split(",")))
"""
# listings of folders in the opposite order
REVERSED = """
import os
scandir, listdir = os.scandir, os.listdir
class Reversed:
    def __init__(self, found): self.found, self.entries = found, list(found)[::-1]
    def __iter__(self): return iter(self.entries)
    def __next__(self): return self.entries.pop(0)
    def __enter__(self): return self
    def __exit__(self, *_): self.found.close()
    def close(self): self.found.close()
os.scandir = lambda *path: Reversed(scandir(*path))
os.listdir = lambda *path: listdir(*path)[::-1]
"""


def less():
    """A machine with one core and little memory."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


SHELL = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "7",
    "PYTHONOPTIMIZE": "2",
    "COLUMNS": "1",
    "MPLBACKEND": "svg",
}
CHANGES = {
    "variables, umask": {"environment": {**MOVING, **SHELL}, "begin": lambda: os.umask(0o077)},
    "cores, memory, the order of folders": {"begin": less, "first": REVERSED},
}


def made(folder, environment=(), begin=None, first=""):
    """The bytes that the stages make in a folder, in a process of their own."""
    project = projects.Project(folder)
    params = projects.one_run()
    params["filter_ablation"]["filters"] = {"conv1": [0, 1], "conv5": [2]}
    project.write_params(params)
    data = replace(toys.red_or_blue(), classes=tuple("0123456789"))
    datasets.save(data, folder / "data/dataset.safetensors")
    code = STAGES.format(source=str(projects.ROOT / "src"), first=first)
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**project.environment(), **dict(environment)},
        preexec_fn=begin,
        check=True,
    )
    return projects.contents(folder, "models", "reports")


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return made(tmp_path_factory.mktemp("usual"))


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has these settings of a process")
@pytest.mark.parametrize("change", CHANGES)
def test_no_byte_depends_on(change, usual, tmp_path):
    found = made(tmp_path, **CHANGES[change])
    assert [name for name in usual if found.get(name) != usual[name]] == []
    assert found.keys() == usual.keys()
    assert len(found) > 60
