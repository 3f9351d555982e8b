"""Lines about a Dask cluster."""

import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from convscope.base.names import CLUSTER
from convscope.base.paths import RUN_FILES
from convscope.training import trainer
from convscope.training.cluster import driver
from tests import toys
from tests.remedies.row import Row, each, env, nothing, replaced

ADDRESS = "tcp://127.0.0.1:9"
JOBS = [(toys.run(epochs=1), Path("runs/one"))]
# what answers for the workers
HELD = SimpleNamespace(workers=None)
SAME = {"torch": "2", "code": "c", "threads": "1"}


def train():
    """Train a run, if a cluster is named."""
    driver.train(JOBS, Path("data"), lambda _: None)


@contextmanager
def _client(_):
    yield None


def ends(error):
    """Let the cluster end so; None lets it train."""

    def grid(*_):
        def train(*_):
            if error is not None:
                raise error()

        return SimpleNamespace(train=train)

    return each(
        env(CONVSCOPE_CLUSTER=ADDRESS),
        replaced(driver, "_connected", _client),
        replaced(driver, "_Grid", grid),
    )


def dead():
    from distributed import KilledWorker

    return KilledWorker("a", SimpleNamespace(address="tcp://w:1"), 3)


def connect():
    """Connect, if a cluster is named."""
    if where := driver.address():
        with driver._connected(where):
            pass


def described(found):
    """A grid whose cluster has a worker that describes itself so."""
    client = SimpleNamespace(run=lambda *_, **__: {"tcp://w:1": found}, nthreads=lambda: {"w": 1})
    return replaced(HELD, "workers", client)


def wanted():
    driver._Grid(HELD.workers, print)._wanted("portable", 1)


def idle():
    driver._Grid(HELD.workers, print)._wait_for_workers()


def workers(count):
    there = dict.fromkeys(range(count), 1)
    client = SimpleNamespace(nthreads=lambda: there, wait_for_workers=lambda _: None)
    return replaced(HELD, "workers", client)


def kept():
    driver._keep(*JOBS[0], [b""] * len(RUN_FILES))


def asked():
    """Ask a process that is gone."""
    from convscope.training.cluster.worker import _Child

    child = _Child.__new__(_Child)
    child._worker, child._connection = "tcp://w:1", SimpleNamespace(send=_gone, recv=_gone)
    list(child.train(b"", Path(), Path()))


def _gone(*_):
    raise BrokenPipeError


def compared():
    from convscope.training.cluster import worker

    worker.require_same("tcp://w:1", HELD.workers, SAME)


def joined():
    driver._say_if_left_out("tcp://w:1", HELD.workers, SAME)


AGAIN = "run the stage again (finished runs are kept)"
ROWS = [
    Row(
        "training/cluster/driver.address",
        f"{CLUSTER}=here: set it to the address that a Dask scheduler prints, such as "
        "tcp://10.0.0.1:8786, or to local:4 for four runs at a time on this machine",
        driver.address,
        env(CONVSCOPE_CLUSTER="here"),
        env(CONVSCOPE_CLUSTER="local:4"),
    ),
    Row(
        "training/cluster/driver.train",
        f"{CLUSTER} needs Dask: pip install -c constraints.txt -e '.[cluster]'",
        train,
        each(ends(None), lambda patch: patch.setitem(sys.modules, "distributed", None)),
        lambda patch: patch.delitem(sys.modules, "distributed"),
    ),
    Row(
        "training/cluster/driver.train 2",
        f"{ADDRESS}: workers died one after another, the last tcp://w:1: read their logs, and "
        f"{AGAIN}",
        train,
        ends(dead),
        ends(None),
    ),
    Row(
        "training/cluster/driver.train 3",
        f"{ADDRESS}: the scheduler is gone: start it and its workers, and {AGAIN}",
        train,
        ends(TimeoutError),
        ends(None),
    ),
    Row(
        "training/cluster/driver._connected",
        f"{CLUSTER}={ADDRESS}: no scheduler answers (…): start one (`dask scheduler`), or unset "
        "the variable to train on this machine",
        connect,
        each(env(CONVSCOPE_CLUSTER=ADDRESS), replaced(driver, "CONNECT_SECONDS", 0.5)),
        env(CONVSCOPE_CLUSTER=None),
    ),
    Row(
        "training/cluster/driver._Grid._wanted",
        "the worker tcp://w:1 cannot run convscope (ModuleNotFoundError('no convscope')): "
        "install this project into the environment that starts it",
        wanted,
        (described(ModuleNotFoundError("no convscope"))),
        "needs an environment of its own",
    ),
    Row(
        "training/cluster/driver._Grid._wait_for_workers",
        f"{CLUSTER}: the scheduler has no workers: waiting for one",
        idle,
        workers(0),
        workers(1),
    ),
    Row(
        "training/cluster/driver._keep",
        f"net1: run {JOBS[0][0].id} came back damaged from the cluster: run the stage again",
        kept,
        nothing,
        replaced(trainer, "is_finished", lambda *_: True),
    ),
    Row(
        "training/cluster/driver._say_if_left_out",
        f"{CLUSTER}: left out: the worker tcp://w:1 would compute other bits: its torch is 1, not "
        "2: start it with the same, or leave it out",
        joined,
        replaced(HELD, "workers", SAME | {"torch": "1"}),
        replaced(HELD, "workers", SAME),
    ),
    Row(
        "training/cluster/worker._Child._told",
        "a training process of the worker tcp://w:1 was killed, perhaps because memory ran out: "
        "run the stage again (finished runs are kept), with fewer threads a worker if it recurs",
        asked,
        nothing,
        "buys memory",
    ),
    Row(
        "training/cluster/worker.require_same",
        "the worker tcp://w:1 would compute other bits: its torch is 1, not 2: start it with the "
        "same, or leave it out",
        compared,
        each(replaced(HELD, "workers", SAME | {"torch": "1"})),
        replaced(HELD, "workers", SAME),
    ),
]
