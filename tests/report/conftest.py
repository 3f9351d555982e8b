from pathlib import Path

import pytest

from tests.report import folders


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return folders.write(tmp_path / "reports")
