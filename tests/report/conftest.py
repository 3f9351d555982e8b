from pathlib import Path

import pytest

from convscope.study import claims
from tests.report import folders


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
    return folders.render(finished, claims.judge(finished))
