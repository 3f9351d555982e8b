import shutil

import pytest

from convscope.study import claims
from tests.study.claims import folders


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """What the pipeline would leave if it measured just what the study did; only to be read."""
    reports = tmp_path_factory.mktemp("study") / "reports"
    folders.write_study(reports)
    return reports


@pytest.fixture(scope="session")
def judged(untouched):
    return claims.judge(untouched)


@pytest.fixture
def study(untouched, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(untouched, tmp_path / "reports")
