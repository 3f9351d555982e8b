from pathlib import Path

import pytest

from convscope.base import paths


@pytest.mark.parametrize(
    ("net", "models", "report"),
    [
        ("net4", "models/net4", "reports/train/net4"),
        ("baseline", "reports/baseline/grid", "reports/baseline"),
    ],
)
def test_a_nets_folders_are_those_that_dvc_tracks(net, models, report):
    assert paths.models_of(net) == Path(models)
    assert paths.report_of(net) == Path(report)
