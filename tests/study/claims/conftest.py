import shutil

import pytest

from convscope.study import claims, published
from tests.study.claims import folders

# the study prints no such table
WINDOWS = "window,mean_confidence\n3,0.9\n5,0.8\n7,0.7\n9,0.5\n13,0.25"


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """What the pipeline would leave if it measured just what the study did; only to be read."""
    reports = tmp_path_factory.mktemp("study") / "reports"
    tables = {name: published.table(name).to_csv(index=False).strip() for name in published.KEYS}
    params = {
        "occlusion/params": folders.NET4,
        "filter-identify/params": folders.TOP_20,
        "filter-ablation/params": {**folders.NET4, "filter_ablation": {"filters": folders.ABLATED}},
        "download/dataset": {"name": "cifar10"},
    }
    folders.write(reports, {**tables, **params, "occlusion/by_window": WINDOWS})
    return reports


@pytest.fixture(scope="session")
def judged(untouched):
    return claims.judge(untouched)


@pytest.fixture
def study(untouched, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(untouched, tmp_path / "reports")
