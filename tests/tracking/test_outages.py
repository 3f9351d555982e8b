"""A stage ends the same whatever becomes of MLflow, and one ``convscope publish`` makes it good."""

import contextlib
import multiprocessing
import shutil
import sqlite3
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import Mock

import pytest
from tests import projects
from tests.tracking.conftest import mute_server

from convscope import cli
from convscope.base import paths

WAIT = "run `convscope publish` when it answers"
SECONDS = 40  # longest stage with a server that does not work, on a busy machine


@pytest.fixture
def stage(one_run, empty_store, monkeypatch):
    """A function that trains net1 in the project where it is called, empty at first."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    shutil.copyfile(empty_store, one_run / "mlflow.db")
    return lambda: cli.main(["train", "net1"])


@pytest.fixture(scope="module")
def undisturbed():
    """The files of a stage whose tracking worked, filled by the first test that has them."""
    return {}


@pytest.fixture
def expected(stage, undisturbed, tmp_path_factory, capfd):
    """``undisturbed``, from a copy of the project."""
    if not undisturbed:
        copy = tmp_path_factory.mktemp("undisturbed")
        shutil.copytree(".", copy, dirs_exist_ok=True)
        with contextlib.chdir(copy):
            assert stage() == 0
            undisturbed |= projects.contents(Path(), paths.MODELS, paths.REPORTS)
        assert capfd.readouterr().err == ""
    return undisturbed


def tracked():
    """MLflow's runs, by name, with their status, and the epochs that the point has."""
    with contextlib.closing(sqlite3.connect("mlflow.db")) as database:
        runs = database.execute("select name, status from runs order by name").fetchall()
        epochs = database.execute("select step from metrics where key = 'epoch/loss' and step > 0")
        return runs, epochs.fetchall()


class Refusing(BaseHTTPRequestHandler):
    """A server that is there and will not serve."""

    def do_GET(self):
        self.send_error(503, "no")

    do_POST = do_GET  # noqa: N815
    log_message = Mock()


def absent(patch):
    patch.setenv("MLFLOW_TRACKING_URI", projects.NO_SERVER)
    yield


def refusing(patch):
    with HTTPServer(("127.0.0.1", 0), Refusing) as listening:
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listening.server_port}")
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield
        listening.shutdown()


def dying(patch):
    """The first requests are served; then the connection is gone."""
    from mlflow import MlflowClient

    serve, served = MlflowClient.log_batch, multiprocessing.Value("i")

    def log_batch(*arguments, **more):
        served.value += 1
        if served.value > 2:
            raise ConnectionResetError("Connection reset by peer")
        return serve(*arguments, **more)

    patch.setattr(MlflowClient, "log_batch", log_batch)
    yield
    assert served.value > 2


def locked(patch):
    soon = partial(sqlite3.connect, timeout=0.5)
    for module in (sqlite3, sqlite3.dbapi2):  # the second is MLflow's
        patch.setattr(module, "connect", soon)
    with contextlib.closing(sqlite3.connect("mlflow.db", isolation_level=None)) as other:
        other.execute("begin exclusive")
        yield


def read_only(patch):
    uri = f"sqlite:///file:{Path.cwd()}/mlflow.db?mode=ro&uri=true"
    patch.setenv("MLFLOW_TRACKING_URI", uri)
    yield


def damaged(_):
    """The file is not a database; its owner puts a backup back later."""
    backup = Path("mlflow.db").read_bytes()
    Path("mlflow.db").write_bytes(b"not a database" * 1000)
    yield
    Path("mlflow.db").write_bytes(backup)


@pytest.mark.parametrize(
    ("outage", "why", "remedy"),
    [
        (absent, "Connection refused", WAIT),
        (refusing, "503 error responses", WAIT),
        (mute_server, "timed out", WAIT),
        (dying, "Connection reset by peer", WAIT),
        (locked, "database is locked", WAIT),
        (read_only, "attempt to write a readonly database", "give access there, then"),
        (damaged, "file is not a database", "put a backup back, or move it away"),
    ],
)
def test_a_stage_ends_the_same_and_is_published_later(
    outage, why, remedy, stage, expected, monkeypatch, capfd
):
    with monkeypatch.context() as patch, contextlib.contextmanager(outage)(patch):
        began = time.monotonic()
        assert stage() == 0
        assert time.monotonic() - began < SECONDS
    (warning,) = capfd.readouterr().err.splitlines()
    assert warning.startswith("convscope: warning: train@net1: not tracked in MLflow at ")
    assert why in warning
    assert "INSERT" not in warning
    assert remedy in warning.rpartition(why)[2]
    assert "run `convscope publish`" in warning
    assert projects.contents(Path(), paths.MODELS, paths.REPORTS) == expected
    for said in ("created", "completed"), ("unchanged",):
        assert cli.main(["publish"]) == 0
        name, action = capfd.readouterr().out.split(": ")
        assert (name, action.strip() in said) == ("train@net1", True)
        runs, epochs = tracked()
        assert [status for _, status in runs] == ["FINISHED", "FINISHED"]
        assert [name for name, _ in runs][1] == "train@net1"
        assert epochs == [(1,)]
