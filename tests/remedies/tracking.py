"""Lines about MLflow."""

import contextlib
import os
import socket
import sqlite3
import sys
from contextlib import ExitStack
from pathlib import Path

from convscope.base.errors import UserError
from convscope.tracking import failures, models, publishing, ui
from tests import projects, warm
from tests.remedies.row import Row, each, env, nothing, replaced
from tests.tracking.conftest import Project
from tests.tracking.study import Study

HERE = "sqlite:///mlflow.db"
THEN = "then run `convscope publish`"
_OPEN = ExitStack()
_FOUND: list[models.Candidate] = []


def project(_):
    """A project with two finished stages."""
    Project(Path())


def publish():
    return publishing.publish(Path())


def newer(_):
    """The database of a later MLflow."""
    with contextlib.closing(sqlite3.connect("mlflow.db")) as database, database:
        database.execute("update alembic_version set version_num = 'ffffffffffff'")


def moved_away(patch):
    """Move the database away; this process has it open."""
    Path("mlflow.db").rename("old.db")
    patch.setattr(sys, "executable", str(warm.programs() / "python"))
    return lambda: projects.python("-m", "convscope.cli", "publish").returncode


def warn(why):
    """Warn that a stage is not tracked."""

    def do():
        failures._warned.clear()
        failures.warn(HERE, "evaluate", why)

    return do


def taken(patch):
    """A port that somebody listens on, as the default one."""
    listening = _OPEN.enter_context(socket.create_server(("127.0.0.1", 0)))
    patch.setenv("PORT", str(listening.getsockname()[1]))


def free():
    ui._require_free(int(os.environ["PORT"]))


def evaluated(lr):
    """A network that was trained, compared, and is to be registered."""

    def do(_):
        (study := Study(Path())).evaluate(lr=lr)
        _FOUND[:] = models.candidates(study.root, ["net4"])

    return do


def trained_anew(_):
    Study(Path()).evaluate(lr=0.5)


def register():
    try:
        models._export(Path(), _FOUND[0], Path("exported"))
    except UserError as error:
        models._warn(Path(), error)


def ends(code):
    """Let MLflow's program end so."""
    command = [sys.executable, "-c", f"raise SystemExit({code})"]
    return replaced(ui, "server_command", lambda *_: command)


def serve():
    ui.serve(Path(), int(os.environ["PORT"]))


def page():
    return ui._page(Path(), "http://here")


FREE = each(
    env(PORT="0"), replaced(ui, "_page", lambda *_: "http://here"), replaced(ui, "_show", print)
)


# why a store fails, what helps, and why no test does it here
FAILS = [
    (
        "experiment 3, mine, has been deleted",
        "take it back by `mlflow experiments restore --experiment-id 3`, or set "
        "MLFLOW_EXPERIMENT_NAME to another",
    ),
    (
        "HTTP error code 401",
        "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    ),
    (
        "PERMISSION_DENIED",
        "ask its owner to let you write there, or set MLFLOW_EXPERIMENT_NAME to an experiment of "
        "yours",
    ),
    ("404 != 200", "name an MLflow server in MLFLOW_TRACKING_URI"),
    (
        "No Experiment with id=7 exists",
        "set MLFLOW_EXPERIMENT_ID to one that is there, or unset it",
    ),
    ("No module named 'psycopg2'", "install psycopg2, the driver of that database"),
    ("unsupported URI 'ftp://host'", "unset MLFLOW_TRACKING_URI, or name a server or database"),
    ("file is not a database", "put a backup back, or move it away and a new one is made"),
    ("attempt to write a readonly database", "give access there"),
    ("database or disk is full", "make room there"),
    (
        "out-of-date database schema (found version 451aebb31d03",
        f"make a copy of it, run `mlflow db upgrade {HERE}`",
    ),
]
OUTAGES = "is tried in tests/tracking/test_failures.py and test_outages.py"

ROWS = [
    *(
        Row(
            "tracking/failures.warn",
            f"warning: evaluate: not tracked in MLflow at {HERE} ({why}): {words}, {THEN}",
            warn(why),
            nothing,
            OUTAGES,
        )
        for why, words in FAILS
    ),
    Row(
        "tracking/failures.warn",
        f"warning: evaluate: not tracked in MLflow at {HERE} (Connection refused): run "
        "`convscope publish` when it answers",
        warn("Connection refused"),
        nothing,
        OUTAGES,
    ),
    Row(
        "tracking/publishing.publish",
        "finished stages: not tracked in MLflow at ./mlruns (…): unset MLFLOW_TRACKING_URI, or "
        "name a database such as sqlite:///mlflow.db (`mlflow migrate-filestore` moves old runs "
        f"there), {THEN}",
        publish,
        each(project, env(MLFLOW_TRACKING_URI="./mlruns")),
        env(MLFLOW_TRACKING_URI=None),
    ),
    Row(
        "tracking/publishing.publish",
        "finished stages: not tracked in MLflow at sqlite:///…/mlflow.db (…found version "
        "ffffffffffff…): a newer MLflow made it: install that version, or move it away and a "
        f"new one is made, {THEN}",
        publish,
        each(project, newer),
        moved_away,
    ),
    Row(
        "tracking/ui.serve",
        "MLFLOW_TRACKING_URI carries a password, which a command line would show: open the "
        "server's own page instead",
        lambda: ui.serve(Path(), 0),
        env(MLFLOW_TRACKING_URI="https://ann:pw@host"),
        "has nothing to do again",
    ),
    Row(
        "tracking/ui._is_server",
        "MLFLOW_TRACKING_URI is not an address (Invalid IPv6 URL): unset it, or name a server or a "
        "database",
        lambda: ui._is_server(ui.tracking_uri(Path())),
        env(MLFLOW_TRACKING_URI="http://[::1:5000"),
        env(MLFLOW_TRACKING_URI=None),
    ),
    Row(
        "tracking/ui._require_free",
        "port … is not available (Address already in use): try another --port",
        free,
        taken,
        env(PORT="0"),
    ),
    Row(
        "tracking/ui.serve 2",
        "MLflow's UI ended with code 3: what it says is above",
        serve,
        each(FREE, ends(3)),
        ends(0),
    ),
    Row(
        "tracking/ui._page",
        "runs at ./mlruns cannot be read (…): unset MLFLOW_TRACKING_URI, or name a database such "
        "as sqlite:///mlflow.db (`mlflow migrate-filestore` moves old runs there), then run "
        "`convscope ui`",
        page,
        env(MLFLOW_TRACKING_URI="./mlruns"),
        env(MLFLOW_TRACKING_URI=None),
    ),
    *(
        Row(
            site,
            "warning: model registry: models/net4 has just been replaced: let the stage "
            f"evaluate end, {THEN}",
            register,
            each(evaluated(0.02), trained_anew),
            evaluated(0.5),
        )
        for site in ("tracking/models._export", "tracking/models._warn")
    ),
]
