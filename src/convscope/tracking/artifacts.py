"""Where the files of MLflow runs are kept: beside their database, wherever that is moved."""

import contextlib
import sqlite3
from pathlib import Path

FOLDER = "mlartifacts"
# all columns of MLflow's tables that hold the address of a run's or a model's files
_ADDRESSES = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_HAS_TABLES = "select 1 from sqlite_master where name = 'experiments'"
# of convscope's experiment, and of others that hold its runs: the rest keep theirs where they want
_OWN = (
    "select distinct artifact_location from experiments where artifact_location like ? and "
    "(name = 'convscope' or experiment_id in "
    "(select experiment_id from runs join tags using (run_uuid) where key = 'project'))"
)


def beside(database: Path) -> str:
    """The address of the folder for the files of a database's runs."""
    return (database.resolve().parent / FOLDER).as_uri()


def follow(database: Path) -> None:
    """Let a database that was moved or copied name the files beside it, not those it lay beside.

    MLflow stores absolute addresses. Those of convscope's experiments change, and those of their
    runs where the files came along.

    Raises:
        sqlite3.Error: The file is not a database, is locked, or may not be written.
    """
    here = beside(database)
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        if not connection.execute(_HAS_TABLES).fetchone():
            return  # MLflow makes them
        for (former,) in connection.execute(_OWN, (f"file:///%/{FOLDER}",)).fetchall():
            if former == here:
                continue
            connection.execute(
                "update experiments set artifact_location = ? where artifact_location = ?",
                (here, former),
            )
            if (database.resolve().parent / FOLDER).is_dir():
                _move(connection, former, here)


def _move(connection: sqlite3.Connection, former: str, here: str) -> None:
    for table, column in _ADDRESSES:
        connection.execute(
            f"update {table} set {column} = ? || substr({column}, ?) "
            f"where substr({column}, 1, ?) = ?",
            (here, len(former) + 1, len(former) + 1, f"{former}/"),
        )
