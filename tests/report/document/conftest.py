from pathlib import Path

import pytest
from tests.report.document import folders, read

from convscope.report.document import page
from convscope.study import claims


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return folders.write(tmp_path / "reports")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folders, to read only."""
    return folders.write(tmp_path_factory.mktemp("finished") / "reports")


@pytest.fixture(scope="session")
def text(finished: Path) -> str:
    """Their report."""
    return page.render(finished, claims.judge(finished))


@pytest.fixture
def changed(reports):
    """The report, or a section of it, after some files were replaced."""

    def render(files, section=None, claims=()):
        for path, content in files.items():
            folders.replace(reports / path, content)
        found = page.render(reports, claims)
        return read.section(found, section) if section else found

    return render
