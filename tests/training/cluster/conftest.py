import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import partial

import psutil
import pytest

from convscope.base import names, paths
from convscope.data import datasets
from tests import projects, toys
from tests.waiting import wait_for

pytest.importorskip("distributed")
until = partial(wait_for, seconds=120)


class Cluster:
    """A scheduler and workers on this machine, each a program of its own."""

    def __init__(self, folder, **environment):
        self.folder, self.programs = folder, []
        sources = str(projects.ROOT / "src")
        self.environment = {**os.environ, "PYTHONPATH": sources, **environment}
        listing = folder / "scheduler.json"
        port = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", listing]
        protocol = ["--protocol", "tls"] if environment else []
        self.scheduler = self._start("scheduler", *port, *protocol)
        self.address = until(lambda: self._listed(listing))

    def _listed(self, path):
        try:
            return json.loads(path.read_text())["address"]
        except (OSError, ValueError):
            return None

    def _start(self, kind, *arguments, **environment):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"]
        log = (self.folder / f"{kind}.log").open("a")
        with log:
            started = subprocess.Popen(
                [*command, *map(str, arguments)],
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
            )
        self.programs.append(started)
        return started

    def worker(self, **environment):
        """Start a worker for one run at a time."""
        where = ["--nthreads", "1", "--no-nanny", "--local-directory", self.folder]
        return self._start("worker", self.address, *where, **environment)

    def end(self):
        """Kill them all."""
        for program in self.programs:
            program.kill()
            program.wait()


@contextmanager
def cluster_in(folder, workers=0, **environment):
    """A cluster that ends with a block."""
    with ExitStack() as stack:
        cluster = Cluster(folder, **environment)
        stack.callback(cluster.end)
        for _ in range(workers):
            cluster.worker()
        yield cluster


def children(program):
    """The training processes of a worker."""
    try:
        return [p for p in psutil.Process(program.pid).children() if "child" in str(p.cmdline())]
    except psutil.NoSuchProcess:
        return []


def stop_all(program):
    """Kill a worker; its training processes must follow it."""
    orphans = children(program)
    program.send_signal(signal.SIGKILL)
    program.wait()
    until(lambda: not any(orphan.is_running() for orphan in orphans))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A cluster of two workers, which no test ends."""
    with cluster_in(tmp_path_factory.mktemp("cluster"), workers=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """A cluster of one worker, which tests may end."""
    with cluster_in(tmp_path_factory.mktemp("lone"), workers=1) as cluster:
        yield cluster


@pytest.fixture
def data(here, monkeypatch):
    """The file of a toy data set, in a folder of its own."""
    monkeypatch.setenv(names.DEVICE, "cpu")
    datasets.save(toys.red_or_blue(), paths.DATASET)
    return here / paths.DATASET
