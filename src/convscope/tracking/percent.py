"""MLflow in an environment whose path has percent signs.

It hands the path of its migrations to alembic, for which they begin a reference to another setting.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


@cache
def admit() -> None:
    """Let the MLflow of this process find its migrations, whatever their path has."""
    if "%" not in sys.prefix:
        return
    import alembic.config

    class Config(alembic.config.Config):
        def set_main_option(self, name: str, value: str) -> None:
            # of the database's address MLflow sees to that itself
            super().set_main_option(
                name, value.replace("%", "%%") if name == "script_location" else value
            )

    alembic.config.Config = Config  # type: ignore[misc]


@contextmanager
def python() -> Iterator[str]:
    """This Python, by a path without percent signs, for a program that runs MLflow itself."""
    if "%" not in sys.prefix:
        yield sys.executable
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder, "environment")
        environment.symlink_to(sys.prefix)
        yield str(environment / "bin/python")
