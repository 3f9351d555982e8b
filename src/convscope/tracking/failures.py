"""What to say when tracking fails: one line with the reason, where, and the remedy that helps."""

import importlib.util
import re
import sys
from pathlib import Path

REASON_LENGTH = 300
PUBLISH = "run `convscope publish`"

# for the first pattern that a reason has; a remedy may use its groups, and what to do {then}
_REMEDIES = {
    r"experiment (\d+), .*, has been deleted": "take it back by `mlflow experiments restore "
    "--experiment-id {0}`, or set MLFLOW_EXPERIMENT_NAME to another, then {then}",
    r"filesystem tracking backend": "unset MLFLOW_TRACKING_URI, or name a database such as "
    "sqlite:///mlflow.db (`mlflow migrate-filestore` moves old runs there), then {then}",
    r"\b401\b|[Nn]ot authenticated": "set MLFLOW_TRACKING_USERNAME "
    "and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, then {then}",
    r"\b403\b|PERMISSION_DENIED|Permission denied": "ask its owner to let you write there, or "
    "set MLFLOW_EXPERIMENT_NAME to an experiment of yours, then {then}",
    r"404 != 200": "name an MLflow server in MLFLOW_TRACKING_URI, then {then}",
    r"[Nn]o Experiment with id|Could not find experiment": "set MLFLOW_EXPERIMENT_ID to one that "
    "is there, or unset it, then {then}",
    r"No module named '(\w+)'": "install {0}, the driver of that database, then {then}",
    r"unsupported URI|credential": "unset MLFLOW_TRACKING_URI, or name a server or database, then "
    "{then}",
    r"file is not a database|database disk image is malformed|is not a file": "put a backup back, "
    "or move it away and a new one is made, then {then}",
    r"readonly database|unable to open database|Read-only file system": "give access there, then "
    "{then}",
    r"No space left|disk is full": "make room there, then {then}",
}
_SCHEMA = re.compile(r"out-of-date database schema \(found version (\w+)")
_MIGRATIONS = "store/db_migrations/versions"
_LATER = "{then} when it answers"

# live tracking and publishing fail for the same reason, which is worth one line
_warned: set[str] = set()


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
    named = r"(?:password|passwd|pwd|token|secret|key|sig|odbc_connect)"
    secret = rf"([?&;][^=&\s]*{named}[^=&\s]*=)[^&;\s'\"]+"
    return re.sub(secret, r"\1***", text, flags=re.IGNORECASE)


def failure(uri: str, what: str, why: str) -> str:
    """One line: what could not be tracked, at which address, why, and the remedy."""
    where = redact(uri)
    return f"{what}: not tracked in MLflow at {where} ({why}): {remedy(where, why, PUBLISH)}"


def warn(uri: str, stage: str, why: str) -> None:
    """Say on stderr that a stage is not tracked, once for each stage in a process."""
    if stage not in _warned:
        _warned.add(stage)
        print(f"convscope: warning: {failure(uri, stage, why)}", file=sys.stderr)


def remedy(uri: str, why: str, then: str) -> str:
    """What helps where the store at an address fails for a reason, and what to do then."""
    if schema := _SCHEMA.search(why):
        return _schema_remedy(uri, schema[1], then)
    for pattern, known in _REMEDIES.items():
        if found := re.search(pattern, why):
            return known.format(*found.groups(), then=then)
    return _LATER.format(then=then)


def _schema_remedy(uri: str, version: str, then: str) -> str:
    """Of a database that another version of MLflow made, an older or a newer one."""
    found = importlib.util.find_spec("mlflow")  # imported it would take seconds
    places = (found and found.submodule_search_locations) or ()
    if any(any(Path(place).glob(f"{_MIGRATIONS}/{version}*.py")) for place in places):
        return f"make a copy of it, run `mlflow db upgrade {uri}`, then {then}"
    return (
        "a newer MLflow made it: install that version, or move it away and a new one is made, "
        f"then {then}"
    )
