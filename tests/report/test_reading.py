import pytest

from convscope.base.errors import UserError
from convscope.report.columns import COUNT
from convscope.report.reading import Folder, finished
from tests.report.folders import PNG


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train/net1").mkdir(parents=True)
    return Folder(tmp_path, "train/net1", "train net1")


def write(folder, name, content):
    (folder.path / name).write_bytes(content)


def test_a_table_keeps_the_files_text_beside_what_is_shown(folder):
    write(folder, "best.csv", b"net,loss\nnet1,1.23456789\n")
    table = folder.sheet("best").table("The best")
    assert table.source == "train/net1/best.csv"
    assert [(column.label, column.numeric) for column in table.columns] == [
        ("Net", False),
        ("Loss", True),
    ]
    assert [(cell.text, cell.value) for cell in table.rows[0].cells] == [
        ("net1", "net1"),
        ("1.2346", "1.23456789"),
    ]


def test_columns_named_after_classes_are_not_taken_for_measures(folder):
    write(folder, "confusion.csv", b"true,loss,NA\nloss,1000,2\nNA,3,4\n")
    table = folder.sheet("confusion").table("Confusion", open_columns=(slice(1, None), COUNT))
    assert [column.label for column in table.columns] == ["True class", "loss", "NA"]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["loss", "1,000", "2"],
        ["NA", "3", "4"],
    ]


def test_rows_are_chosen_and_marked(folder):
    write(folder, "by_lr.csv", b"lr\n0.1\n0.2\n0.3\n")
    table = folder.sheet("by_lr").table("By lr", rows=[2, 0], marked={0: "best"})
    assert [(row.cells[0].text, row.role) for row in table.rows] == [
        ("0.3", "plain"),
        ("0.1", "best"),
    ]


def test_only_some_columns(folder):
    write(folder, "best.csv", b"net,lr,loss\nnet1,0.1,2\n")
    chosen = folder.sheet("best").only(["loss", "net"])
    assert (chosen.header, chosen.rows) == (("loss", "net"), (("2", "net1"),))


def test_a_figure_knows_its_size(folder):
    write(folder, "curves.png", PNG)
    figure = folder.figure("curves", "Curves")
    assert (figure.width, figure.height, figure.png) == (1, 1, PNG)
    assert figure.source == "train/net1/curves.png"


def test_a_missing_file_names_the_stage_that_makes_it(folder):
    for read in (folder.sheet, folder.json, lambda name: folder.figure(name, "")):
        with pytest.raises(UserError, match=r"best\.\w+ is missing: run `convscope train net1`"):
            read("best")


@pytest.mark.parametrize("content", [b"", b"a,b\n1\n", b"a\n1,2\n", b"a\n\xff\n", b"a\n\n"])
def test_a_damaged_table_is_refused(folder, content):
    write(folder, "best.csv", content)
    with pytest.raises(UserError, match=r"best\.csv is damaged .*run `convscope train net1`"):
        folder.sheet("best")


def test_a_word_among_numbers_is_refused(folder):
    write(folder, "best.csv", b"loss\nhigh\n")
    sheet = folder.sheet("best")
    with pytest.raises(UserError, match=r"best\.csv is damaged .*'high'"):
        sheet.table("The best")
    with pytest.raises(UserError, match=r"best\.csv is damaged .*'high'"):
        sheet.numbers("loss")


def test_a_column_that_is_not_there_is_named(folder):
    write(folder, "best.csv", b"loss\n1\n")
    with pytest.raises(UserError, match="it has no column epoch"):
        folder.sheet("best").column("epoch")


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(40), PNG[:20]])
def test_what_is_no_picture_is_refused(folder, content):
    write(folder, "curves.png", content)
    with pytest.raises(UserError, match=r"curves\.png is damaged"):
        folder.figure("curves", "")


def test_a_json_file_must_hold_a_mapping(folder):
    write(folder, "params.json", b"[1]")
    with pytest.raises(UserError, match=r"params\.json is damaged"):
        _ = folder.params


def test_a_stage_that_has_not_run_is_named(tmp_path):
    with pytest.raises(UserError, match=r"occlusion is missing: run `convscope occlusion`"):
        finished(tmp_path, "occlusion", "occlusion")
