"""Every line that a user may read is caused, read, and obeyed."""

import pytest

from convscope.base import names
from convscope.base.errors import UserError
from tests import projects
from tests.remedies import configuration, pictures, results, settings, sites

ROWS = [*settings.ROWS, *configuration.ROWS, *pictures.ROWS, *results.ROWS]
SITES = sites.found()


def said(do, capfd):
    """The lines in which something ends, or that it prints on standard error."""
    try:
        do()
    except UserError as error:
        return str(error)
    return capfd.readouterr().err.rstrip("\n")


@pytest.fixture
def project(here, monkeypatch):
    """A folder with parameters and nothing else."""
    monkeypatch.setenv(names.WORKERS, "1")
    monkeypatch.setenv(names.DEVICE, "cpu")
    projects.Project(here).write_params(projects.one_run())
    return here


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.site}: {row.says[:40]}")
def test_who_follows_a_line_is_helped(row, monkeypatch, capfd):
    row.cause(monkeypatch)
    with sites.passed() as lines:
        found = said(row.do, capfd)
    assert row.is_said_in(found), found
    assert SITES[row.site].is_among(lines)
    if isinstance(row.mend, str):
        return
    then = row.mend(monkeypatch)
    capfd.readouterr()
    code = (then if callable(then) else row.do)()
    assert type(code) is not int or code == 0, capfd.readouterr().err
    assert not row.is_said_in(capfd.readouterr().err)
