"""The tracking server: where it is, how long to wait for it, and what to say when it fails."""

import importlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from filelock import FileLock

from convscope.base.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "convscope"
DATABASE = "mlflow.db"
LOCK_SECONDS = 30
REASON_LENGTH = 300

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

# live tracking and publishing fail for the same reason, which is worth one line
_warned: set[str] = set()


class Store(NamedTuple):
    """An open tracking store and the id of the experiment in it."""

    client: "MlflowClient"
    experiment_id: str


def tracking_uri(root: Path) -> str:
    """``MLFLOW_TRACKING_URI``, or an SQLite file in the project folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _file_uri(root.resolve() / DATABASE)


def _file_uri(database: Path) -> str:
    """The URI of an SQLite file, whatever characters its path has."""
    path = database.as_posix()
    quoted = path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    # of a plain sqlite:/// MLflow makes the folder, by its quoted name
    driver = "sqlite" if quoted == path else "sqlite+pysqlite"
    return f"{driver}:///{quoted}"


def import_mlflow() -> "type[MlflowClient]":
    """MLflow's client, quick to give up and saying nothing; the only place that imports it."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient


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

    A database keeps no files, so artifacts go to ``mlartifacts`` in the project folder; a server
    decides for itself. Call it under ``publish_lock``: two processes must not both create. What
    MLflow raises is passed on.
    """
    uri = tracking_uri(root)
    database = root.resolve() / DATABASE
    if uri == _file_uri(database) and not database.is_file():
        if database.exists():
            raise FileExistsError(f"{DATABASE} is not a file")  # MLflow would try for a minute
        from convscope.base.files import atomic_write  # most callers of this module need no pandas

        # MLflow needs seconds for its tables, and a store that was killed half way through them
        # can never be opened again
        with atomic_write(database) as partial:
            partial.unlink(missing_ok=True)
            open_client(_file_uri(partial)).search_experiments(max_results=1)
    client = open_client(uri)
    artifacts = (root.resolve() / "mlartifacts").as_uri() if _is_database(uri) else None
    return Store(client, _experiment(client, artifacts))


def _experiment(client: "MlflowClient", artifacts: str | None) -> str:
    if known := client.get_experiment_by_name(EXPERIMENT):
        return str(known.experiment_id)
    # with this tag MLflow's page opens on runs and their comparison, not on tools for chat models
    tags = {"mlflow.experimentKind": "custom_model_development"}
    try:
        return client.create_experiment(EXPERIMENT, artifact_location=artifacts, tags=tags)
    except Exception:
        # another project may have just created it on this server
        if known := client.get_experiment_by_name(EXPERIMENT):
            return str(known.experiment_id)
        raise


def publish_lock(root: Path) -> FileLock:
    """A lock that keeps other processes of this project from creating the same runs.

    Entering it raises filelock.Timeout where another process holds it for ``LOCK_SECONDS``.
    """
    path = root / ".convscope" / "publish.lock"
    path.parent.mkdir(exist_ok=True)
    return FileLock(path, timeout=LOCK_SECONDS)


def reason(error: BaseException) -> str:
    """Why the server failed, on one line, without secrets and without MLflow's long tail."""
    text = " ".join(str(error).split()) or type(error).__name__
    # requests puts the cause last, behind two addresses; SQLAlchemy puts the statement last.
    if cause := re.search(r"Caused by \w+\(\"(.*)\"\)", text):
        text = cause[1]
    return redact(text.split(" [SQL:")[0])[:REASON_LENGTH]


def redact(text: str) -> str:
    """Blank the user and password, and any secret in the query, of the URIs in ``text``."""
    # an SQLite file has neither user nor password, but perhaps an @ in its path
    text = re.sub(r"(?<!sqlite)://\S*@", "://***@", text)
    secret = r"([?&;][^=&\s]*(?:password|passwd|pwd|token|secret|key|sig)[^=&\s]*=)[^&;\s'\"]+"
    return re.sub(secret, r"\1***", text, flags=re.IGNORECASE)


def failure(root: Path, what: str, why: str) -> str:
    """One line: what could not be tracked, where, why, and the remedy."""
    where = redact(tracking_uri(root))
    return f"{what}: not tracked in MLflow at {where} ({why}): run `convscope publish` later"


def warn(root: Path, stage: str, why: str) -> None:
    """Say on stderr that a stage is not tracked, once for each stage in a process."""
    if stage not in _warned:
        _warned.add(stage)
        print(f"convscope: warning: {failure(root, stage, why)}", file=sys.stderr)


def ui_command(root: Path, port: int = 5000) -> list[str]:
    """The command that shows the tracked runs in a browser: MLflow's page, or a server's own.

    Raises:
        UserError: The address carries a password.
    """
    uri = tracking_uri(root)
    if redact(uri) != uri:
        raise UserError(
            "MLFLOW_TRACKING_URI carries a password, which a command line would show: "
            "open the server's own page instead"
        )
    if urlsplit(uri).scheme in ("http", "https"):
        return [sys.executable, "-m", "webbrowser", uri]
    # One reader needs one worker; MLflow's four each take seconds to start.
    options = f"--host 127.0.0.1 --port {port} --workers 1".split()
    return [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, *options]
