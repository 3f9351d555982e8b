"""Report folders: written completely or not at all; what is refused, with the command to run."""

import json

import pandas as pd
import pytest

from convscope.base.errors import UserError
from convscope.base.report_folder import Finished, MadeFrom, reporting
from convscope.figures.style import Drawing

MADE_FROM = MadeFrom("data", {"net1": "a run"}, ["a processor", "another"])


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_report_holds_its_params_and_what_was_put_in(tmp_path):
    folder = tmp_path / "reports/occlusion"
    with reporting(folder, {"seed": 0, "sizes": [3, 5]}, MADE_FROM) as report:
        report.table("drops", pd.DataFrame({"size": [3], "drop": [0.25]}))
        report.json("deepest", {"row": 4})
        report.metrics({"accuracy": 0.5})
        figure = Drawing(figsize=(1, 1))
        figure.add_subplot().plot([0, 1])
        report.figure("curves", figure)
        assert not folder.exists()
    written = {"drops.csv", "deepest.json", "metrics.json", "curves.png"}
    assert names(folder) == {"params.json", "made_from.json", *written}
    assert Finished(tmp_path / "reports", "occlusion").made_from == MADE_FROM
    assert json.loads((folder / "params.json").read_text()) == {"seed": 0, "sizes": [3, 5]}
    assert (folder / "drops.csv").read_text() == "size,drop\n3,0.25\n"
    assert json.loads((folder / "deepest.json").read_text()) == {"row": 4}
    assert json.loads((folder / "metrics.json").read_text()) == {"accuracy": 0.5}
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_that_fails_leaves_the_old_one(tmp_path):
    with reporting(tmp_path / "report", {}, MADE_FROM) as report:
        report.json("old", 1)
    with (
        pytest.raises(ValueError, match="not JSON compliant"),
        reporting(tmp_path / "report", {}, MADE_FROM) as report,
    ):
        report.metrics({"loss": float("nan")})
    assert names(tmp_path) == {"report"}
    assert names(tmp_path / "report") == {"params.json", "made_from.json", "old.json"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train/net1").mkdir(parents=True)
    return Finished(tmp_path, "train/net1")


def test_what_a_reader_changes_in_a_table_is_not_read_by_the_next(folder):
    (folder.path / "best.csv").write_text("epoch\n3\n")
    changed = folder.table("best")
    changed.loc[0, "epoch"] = 4
    changed["epoch"] = 5
    assert folder.table("best")["epoch"].tolist() == [3]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"columns": ["epoch"]}, "it has no column epoch"),
        ({"numbers": ["word"]}, "its column word holds something that"),
        ({"numbers": ["gap"]}, "its column gap holds something that"),
        ({"gaps": ["word"]}, "its column word holds something that"),
    ],
)
def test_columns_must_be_there_and_hold_numbers(folder, wanted, why):
    (folder.path / "best.csv").write_text("loss,word,gap\n1,high,\n2,low,3\n")
    with pytest.raises(UserError, match=rf"best\.csv is damaged \({why}.*`convscope train net1`"):
        folder.table("best", **wanted)
    assert len(folder.table("best", ["word"], numbers=["loss"], gaps=["gap"])) == 2


def test_a_table_without_rows_is_not_filled(folder):
    (folder.path / "best.csv").write_text("loss\n")
    assert folder.table("best", numbers=["loss"]).empty
    with pytest.raises(UserError, match=r"best\.csv is damaged \(it has no rows\)"):
        folder.filled("best")


@pytest.mark.parametrize("content", ["[1]", "{", '{"net": 7}', '{"net": {"lr": 0.1}}'])
def test_parameters_of_another_type_are_refused(folder, content):
    (folder.path / "params.json").write_text(content)
    with pytest.raises(UserError, match=r"params\.json is damaged .*`convscope train net1`"):
        folder.param("net", "lr", list)


def test_parameters_that_are_null_or_were_not_used_are_none(folder):
    (folder.path / "params.json").write_text('{"data": {"images": null, "seed": 3}}')
    found = [folder.param("data", "images", int), folder.param("net", "lr", list)]
    assert found == [None, None]
    assert folder.param("data", "seed", int) == 3
