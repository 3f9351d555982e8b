"""The tracking store: where it is, how long to wait for it, and the experiment in it."""

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from filelock import FileLock

from convscope.base import paths
from convscope.base.files import atomic_write
from convscope.tracking import artifacts, descriptions, percent

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

EXPERIMENT = "convscope"
NOTE = "mlflow.note.content"
DATABASE = "mlflow.db"
LOCK_SECONDS = 30

# MLflow's own defaults wait for minutes and chat on stderr; whatever the user has set stays.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


class Store(NamedTuple):
    """An open tracking store and the id of the experiment in it."""

    client: "MlflowClient"
    experiment_id: str


def tracking_uri(root: Path) -> str:
    """``MLFLOW_TRACKING_URI``, or an SQLite file in the project folder."""
    named = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    return named or _file_uri(root.resolve() / DATABASE)


def _file_uri(database: Path) -> str:
    """The URI of an SQLite file, whatever characters its path has."""
    path = database.as_posix()
    quoted = path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    # of a plain sqlite:/// MLflow makes the folder, by its quoted name
    driver = "sqlite" if quoted == path else "sqlite+pysqlite"
    return f"{driver}:///{quoted}"


def import_mlflow() -> "type[MlflowClient]":
    """MLflow's client, quick to give up and saying nothing; whatever imports MLflow comes later."""
    quiet()
    percent.admit()
    from mlflow import MlflowClient

    return MlflowClient


def quiet() -> None:
    """Let MLflow, which reads this when it is imported, give up soon and say nothing."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def import_store(root: Path) -> None:
    """Import what MLflow opens a project's database with: most of the time that takes."""
    if _is_database(tracking_uri(root)):
        importlib.import_module("mlflow.store.tracking.sqlalchemy_store")


def _is_database(uri: str) -> bool:
    return urlsplit(uri).scheme.split("+")[0] in _DATABASES


def open_client(uri: str) -> "MlflowClient":
    """A client of a tracking store."""
    return import_mlflow()(uri)


def connect(root: Path) -> Store:
    """Open the tracking store, creating it and the experiment where they are missing.

    The experiment is the one that ``MLFLOW_EXPERIMENT_NAME`` or ``MLFLOW_EXPERIMENT_ID`` names, or
    ``convscope``. Files go to ``mlartifacts`` beside an SQLite database, or for another database in
    the project folder; a server decides for itself. Call it under ``publish_lock``: two processes
    must not both create. What MLflow raises is passed on.
    """
    uri = tracking_uri(root)
    database = sqlite_file(uri)
    if database == root.resolve() / DATABASE and not database.is_file():
        _create(database)
    if database is not None and database.is_file():
        artifacts.follow(database)
    client = open_client(uri)
    place = None
    if _is_database(uri):
        place = artifacts.beside(database or root.resolve() / DATABASE)
    return Store(client, _experiment(client, place))


def _create(database: Path) -> None:
    """Make the project's own database, completely or not at all: MLflow needs seconds for it."""
    if database.exists():
        raise FileExistsError(f"{DATABASE} is not a file")  # MLflow would try for a minute
    # a store that was killed half way through its tables can never be opened again
    with atomic_write(database) as partial:
        partial.unlink(missing_ok=True)
        open_client(_file_uri(partial)).search_experiments(max_results=1)


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None of another store, or of one in memory."""
    if not urlsplit(uri).scheme.startswith("sqlite"):
        return None
    from sqlalchemy.engine import make_url

    path = (make_url(uri).database or "").removeprefix("file:")
    return Path(path) if path and path != ":memory:" else None


def _experiment(client: "MlflowClient", artifact_location: str | None) -> str:
    """The id of the experiment, which is created where it is missing.

    Raises:
        LookupError: It has been deleted, and MLflow keeps its name.
    """
    name, number = os.environ.get("MLFLOW_EXPERIMENT_NAME"), os.environ.get("MLFLOW_EXPERIMENT_ID")
    if number and not name:
        known = client.get_experiment(number)
    else:
        name = name or EXPERIMENT
        known = client.get_experiment_by_name(name) or _created(client, name, artifact_location)
    if known.lifecycle_stage == "deleted":
        raise LookupError(f"experiment {known.experiment_id}, {known.name}, has been deleted")
    return str(known.experiment_id)


def _created(client: "MlflowClient", name: str, artifact_location: str | None) -> "Experiment":
    # with this tag MLflow's page opens on runs and their comparison, not on tools for chat models
    tags = {"mlflow.experimentKind": "custom_model_development", NOTE: descriptions.EXPERIMENT}
    try:
        number = client.create_experiment(name, artifact_location=artifact_location, tags=tags)
    except Exception:
        # another project may have just created it on this server
        if known := client.get_experiment_by_name(name):
            return known
        raise
    return client.get_experiment(number)


def publish_lock(root: Path) -> FileLock:
    """A lock that keeps other processes of this project from creating the same runs.

    Entering it raises filelock.Timeout where another process holds it for ``LOCK_SECONDS``.
    """
    path = root / paths.KEPT / "publish.lock"
    path.parent.mkdir(exist_ok=True)
    return FileLock(path, timeout=LOCK_SECONDS)
