import gc
import importlib
import os
import signal
import sys

import pytest
from filelock import FileLock

from convscope.base import names, paths
from convscope.tracking import server
from tests import projects, threads, warm
from tests.browser import chromium, visit  # noqa: F401  fixtures

server.quiet()  # tests may import MLflow before it is asked for
os.environ["DVC_NO_ANALYTICS"] = "1"  # or DVC starts a process after each command, to report it

LONG = ("/explorer/browser/", "/training/cluster/", "/tests/tracking/", "/remedies/")

# a shell's background job ignores interrupts, as do its children: some tests send them
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def one_run(here, monkeypatch):
    """The folder of a project whose net1 is one run of one epoch on a toy data set."""
    from convscope.data import datasets
    from tests import toys

    monkeypatch.setenv(names.WORKERS, "1")
    monkeypatch.setenv(names.DEVICE, "cpu")
    projects.Project(here).write_params(projects.one_run())
    datasets.save(toys.red_or_blue(), paths.DATASET)
    return here


@pytest.fixture
def warm_python(monkeypatch):
    """What is started as this Python is forked from a process that has imported much."""
    monkeypatch.setattr(sys, "executable", str(warm.programs() / "python"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function that makes a file or folder, unless a process has that shares the tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def made(name, make):
        path, unfinished = folder / name, folder / f"unfinished-{name}"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                make(unfinished)
                unfinished.rename(path)
        return path

    return made


@pytest.fixture(scope="session")
def empty_store(made_once):
    """The file of an empty tracking store, which MLflow needs seconds to make, to be copied."""

    def make(path):
        server.open_client(f"sqlite:///{path}").search_experiments()

    return made_once("empty.db", make)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One more than there are processors: tests often wait for what they have started."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Spare garbage collection what is imported: a fifth of the time, and as much at every pass."""
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        warm.programs()  # whose import need not be waited for until a test needs them
    gc.disable()
    if session.config.getoption("dist", "no") == "no":  # it does not only hand tests out
        threads.import_torch()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Prepare a process that runs tests; the one that hands them out imports nothing for it.

    It begins with what takes longest: processes that share the tests then end at the same time.
    """
    import torch

    # more threads than one are slower for toys, and a result's bits depend on their number
    torch.set_num_threads(1)
    # the trackers of stages are forked from here, and have it then: four seconds less for each
    server.import_mlflow()
    importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    importlib.import_module("tests.prepared")
    items.sort(key=_order)


def _order(item):
    """Tests of the pipeline before all others, and then files that take long."""
    path = item.path.as_posix()
    return item.get_closest_marker("pipeline") is None, not any(part in path for part in LONG)
