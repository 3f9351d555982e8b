import json

import pandas as pd
import pytest

from convscope.base.report_folder import reporting
from convscope.figures.style import Drawing


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_report_holds_its_params_and_what_was_put_in(tmp_path):
    folder = tmp_path / "reports/occlusion"
    with reporting(folder, {"seed": 0, "sizes": [3, 5]}) as report:
        report.table("drops", pd.DataFrame({"size": [3], "drop": [0.25]}))
        report.json("deepest", {"row": 4})
        report.metrics({"accuracy": 0.5})
        figure = Drawing(figsize=(1, 1))
        figure.add_subplot().plot([0, 1])
        report.figure("curves", figure)
        assert not folder.exists()
    expected = {"params.json", "drops.csv", "deepest.json", "metrics.json", "curves.png"}
    assert names(folder) == expected
    assert json.loads((folder / "params.json").read_text()) == {"seed": 0, "sizes": [3, 5]}
    assert (folder / "drops.csv").read_text() == "size,drop\n3,0.25\n"
    assert json.loads((folder / "deepest.json").read_text()) == {"row": 4}
    assert json.loads((folder / "metrics.json").read_text()) == {"accuracy": 0.5}
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    with reporting(tmp_path / "report", {}) as report:
        report.json("old", 1)
    with (
        pytest.raises(ValueError, match="not JSON compliant"),
        reporting(tmp_path / "report", {}) as report,
    ):
        report.metrics({"loss": float("nan")})
    assert names(tmp_path) == {"report"}
    assert names(tmp_path / "report") == {"params.json", "old.json"}
