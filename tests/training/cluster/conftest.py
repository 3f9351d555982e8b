import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from convscope.base import names, paths
from convscope.data import datasets
from tests import projects, toys, warm
from tests.waiting import wait_for

pytest.importorskip("distributed")
until = partial(wait_for, seconds=120)


class Program(subprocess.Popen):
    """A scheduler or a worker, started as a user does or forked; signals go to its process."""

    def __init__(self, cold, module, *arguments, **options):
        python = sys.executable if cold else warm.programs() / "python"
        super().__init__([python, "-m", module, *map(str, arguments)], **options)
        number = self.pid if cold else until(lambda: warm.process_of(self.pid), self)
        self.process = psutil.Process(number)

    def send_signal(self, sig):
        with suppress(psutil.NoSuchProcess):
            self.process.send_signal(sig)

    def children(self):
        """The training processes of a worker."""
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if self.process.pid == self.pid:
                return [p for p in self.process.children() if "child" in str(p.cmdline())]
            forked, worker = self.process.parent().children(), self.process
            return [p for p in forked if p != worker and os.getpgid(p.pid) == worker.pid]
        return []


class Cluster:
    """A scheduler and workers on this machine, each a program of its own."""

    def __init__(self, folder, cold=False, **environment):
        self.folder, self.programs = folder, []
        sources = str(projects.ROOT / "src")
        self.environment = {**os.environ, "PYTHONPATH": sources, **environment}
        listing = folder / "scheduler.json"
        port = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", listing]
        protocol = ["--protocol", "tls"] if environment else []
        self.scheduler = self._start(cold, "scheduler", *port, *protocol)
        self.address = until(lambda: self._listed(listing))

    def _listed(self, path):
        try:
            return json.loads(path.read_text())["address"]
        except (OSError, ValueError):
            return None

    def _start(self, cold, kind, *arguments, **environment):
        with (self.folder / f"{kind}.log").open("a") as log:
            started = Program(
                cold,
                f"distributed.cli.dask_{kind}",
                "--no-dashboard",
                *arguments,
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
            )
        self.programs.append(started)
        return started

    def worker(self, cold=False, **environment):
        """Start a worker for one run at a time."""
        where = ["--nthreads", "1", "--no-nanny", "--local-directory", self.folder]
        return self._start(cold, "worker", self.address, *where, **environment)

    def end(self):
        """Kill them all."""
        for program in self.programs:
            program.kill()
            program.wait()


@contextmanager
def cluster_in(folder, workers=0, cold=False, **environment):
    """A cluster that ends with a block; if it is cold, its scheduler is started as a user does."""
    with ExitStack() as stack:
        cluster = Cluster(folder, cold, **environment)
        stack.callback(cluster.end)
        for _ in range(workers):
            cluster.worker()
        yield cluster


def stop_all(program):
    """Kill a worker; its training processes must follow it."""
    orphans = program.children()
    program.kill()
    program.wait()
    until(lambda: not any(orphan.is_running() for orphan in orphans))


def whole(found):
    """Files but those that safetensors begins under ``.tmp`` names, which a kill may leave."""
    return {name: found[name] for name in found if not Path(name).name.startswith(".tmp")}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A cluster of two workers, which no test ends."""
    with cluster_in(tmp_path_factory.mktemp("cluster"), workers=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """A cluster of one worker, started as a user does, which tests may end."""
    with cluster_in(tmp_path_factory.mktemp("lone")) as cluster:
        cluster.worker(cold=True)
        yield cluster


@pytest.fixture
def data(here, monkeypatch):
    """The file of a toy data set, in a folder of its own."""
    monkeypatch.setenv(names.DEVICE, "cpu")
    datasets.save(toys.red_or_blue(), paths.DATASET)
    return here / paths.DATASET
