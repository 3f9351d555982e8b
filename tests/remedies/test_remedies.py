"""Every line that a user may read is caused, read, and obeyed."""

import re
import shutil

import pytest

from convscope.base import errors, names
from convscope.base.errors import UserError
from convscope.config import messages
from convscope.tracking import failures
from tests import projects
from tests.remedies import (
    cluster,
    configuration,
    pictures,
    programs,
    results,
    settings,
    sites,
    tracking,
    training,
)

TABLES = (settings, configuration, pictures, results, training, cluster, programs, tracking)
ROWS = [row for table in TABLES for row in table.ROWS]
# lines that ask for nothing, or pass on what others say
ELSEWHERE = {
    "base/locks.stage_lock": "waits by itself",
    "base/progress.GridProgress.epoch": "says how far it is",
    "base/progress.counter.show": "says how far it is",
    "cli._mend": "says what was done",
    "cli.main 2": "prints an error's line",
    "cli.main 4": "answers Ctrl-C",
    "comparison/programs.followed": "passes on what DVC prints",
    "stages/download._warn": "prints a warning's line",
    "stages/references._add_this_folder 2": "is caught where it is raised",
    "tracking/models._warn 2": "passes on a failure's line",
    "tracking/models.register": "passes on a failure's line",
    "tracking/models.register_later": "passes on a failure's line",
    "tracking/tracker.Tracker.__init__": "passes on a failure's line",
    "tracking/tracker.Tracker._ask": "passes on a failure's line",
}


def said(do, capfd):
    """The lines in which something ends, or that it prints on standard error."""
    try:
        do()
    except UserError as error:
        return str(error)
    return capfd.readouterr().err.rstrip("\n")


@pytest.fixture(scope="module")
def known():
    """All places in the sources that make such a line."""
    return sites.found()


@pytest.fixture
def project(here, monkeypatch, empty_store):
    """A folder with parameters, an empty store of MLflow, and nothing else."""
    shutil.copyfile(empty_store, here / "mlflow.db")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv(names.WORKERS, "1")
    monkeypatch.setenv(names.DEVICE, "cpu")
    projects.Project(here).write_params(projects.one_run())
    return here


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.site}: {row.says[:40]}")
def test_who_follows_a_line_is_helped(row, known, monkeypatch, capfd):
    if row.site.startswith("training/cluster/"):
        pytest.importorskip("distributed")
    row.cause(monkeypatch)
    with sites.passed() as lines:
        found = said(row.do, capfd)
    assert row.is_said_in(found), found
    assert known[row.site].is_among(lines)
    if isinstance(row.mend, str):
        return
    then = row.mend(monkeypatch)
    capfd.readouterr()
    code = (then if callable(then) else row.do)()
    assert type(code) is not int or code == 0, capfd.readouterr().err
    assert not row.is_said_in(capfd.readouterr().err)


def test_no_line_is_without_a_row(known):
    missing = known.keys() - {row.site for row in ROWS} - ELSEWHERE.keys()
    assert not missing, [f"{known[name].path}:{known[name].first}: {name}" for name in missing]
    assert not ELSEWHERE.keys() - known.keys()


def test_every_remedy_of_the_tables_in_the_sources_is_in_a_row():
    words = "\n".join(row.says for row in ROWS)
    known = [*errors._REMEDIES.values(), *messages._MESSAGES.values()]
    known += [re.sub(r", then {then}$", "", text) for text in failures._REMEDIES.values()]
    patterns = [re.sub(r"\\{\d\\}", ".+", re.escape(text)) for text in known]
    assert [pattern for pattern in patterns if not re.search(pattern, words)] == []
