"""What ``Finished`` refuses to read, for each with the file and the command that makes it."""

import pytest

from convscope.base.errors import UserError
from convscope.base.report_folder import Finished


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train/net1").mkdir(parents=True)
    return Finished(tmp_path, "train/net1")


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1\n", b"a\n1,2\n", b"a\n\xff\n", b"a\n\n", b"a\n1"]
)
def test_a_damaged_table_is_refused(folder, content):
    (folder.path / "best.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"best\.csv is damaged .*run `convscope train net1`"):
        folder.table("best")


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


def test_a_missing_file_names_the_stage_that_makes_it(folder):
    for wanted in (folder.table, folder.json):
        with pytest.raises(UserError, match=r"best\.\w+ is missing: run `convscope train net1`"):
            wanted("best")


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
