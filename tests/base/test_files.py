import errno
import math
import os
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from convscope.base import files
from convscope.base.tensors import read_tensors
from tests import projects, warm
from tests.toys import refusal

READERS = [files.read_json, files.read_csv, read_tensors]


def everything(folder):
    """What is below a folder: relative paths, and the text of files."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refused(reader, path):
    """The message, less the file's name, with which a reader refuses a file."""
    message = refusal(reader, path, "train net4")
    assert message.startswith(f"{path} is ")
    assert "run `convscope train net4`" in message
    return message.removeprefix(f"{path} is ")


def test_a_file_appears_under_its_name_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new/folder/a.txt"
    with files.atomic_write(path) as partial:
        partial.write_text("all")
        assert partial.parent == path.parent  # a rename inside one file system
        assert not path.exists()
    assert everything(path.parent) == {"a.txt": "all"}


def fail(writer, path, write, error):
    """Write something and fail before the writer ends; what comes out of it."""

    with pytest.raises(type(error)) as raised, writer(path) as partial:  # noqa: PT012
        write(partial)
        raise error
    return raised.value


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("writer", "name", "write"),
    [
        (files.atomic_write, "a.txt", lambda path: path.write_text("half")),
        (files.atomic_folder, "report", lambda path: (path / "new.txt").touch()),
    ],
)
def test_a_failing_writer_leaves_what_was_there_and_no_other(tmp_path, writer, name, write, error):
    files.write_text(tmp_path / "a.txt", "old")
    files.write_text(tmp_path / "report/old.txt", "old")
    before = everything(tmp_path)
    fail(writer, tmp_path / name, write, error)
    assert everything(tmp_path) == before


def test_a_folder_replaces_the_earlier_one_completely(tmp_path):
    files.write_text(tmp_path / "report/old.txt", "old")
    files.write_text(tmp_path / ".report.partial/left.txt", "by a killed attempt")
    with files.atomic_folder(tmp_path / "report") as partial:
        files.write_text(partial / "new.txt", "new")
        assert (tmp_path / "report/old.txt").exists()
    assert everything(tmp_path) == {"report": None, "report/new.txt": "new"}


def test_a_folder_that_was_set_aside_by_a_killed_attempt_comes_back(tmp_path):
    files.write_text(tmp_path / ".report.former/old.txt", "old")
    with files.atomic_folder(tmp_path / "report"):
        assert (tmp_path / "report/old.txt").read_text() == "old"
    assert everything(tmp_path) == {"report": None}


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path):
    files.write_text(tmp_path / "report/old.txt", "old")
    with pytest.raises(FileNotFoundError), files.atomic_folder(tmp_path / "report") as partial:
        partial.rmdir()  # now the last rename fails
    assert everything(tmp_path) == {"report": None, "report/old.txt": "old"}


@pytest.mark.parametrize("check", [["git", "check-ignore", "--no-index"], ["dvc", "check-ignore"]])
def test_git_and_dvc_ignore_what_a_killed_attempt_left(check, tmp_path, monkeypatch):
    (tmp_path / "net1").mkdir()
    with files.atomic_write(tmp_path / "dataset") as file, monkeypatch.context() as patch:
        file.touch()
        with files.atomic_folder(tmp_path / "net1") as partial:
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        names = sorted({partial.name} | {path.name for path in tmp_path.iterdir()} - {"net1"})
    assert names == [".dataset.partial", ".net1.former", ".net1.partial"]
    paths = [f"docs/{name}" for name in names]
    done = projects.Project(projects.ROOT, warm.programs()).run(*check, *paths)
    assert done.stdout.split() == paths, done.stderr


def test_json_is_indented_utf8_with_unix_line_ends_keeps_its_order_and_reads_back(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"z": 0.1, "a": ["é"]})
    assert path.read_bytes() == b'{\n  "z": 0.1,\n  "a": [\n    "\xc3\xa9"\n  ]\n}\n'
    assert files.read_json(path, "report") == {"z": 0.1, "a": ["é"]}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_refuses_what_it_cannot_express_and_leaves_the_old_file(tmp_path, value):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"loss": value})
    assert everything(tmp_path) == {"a.json": "old"}


def test_csv_has_no_index_and_short_floats(tmp_path):
    files.write_csv(tmp_path / "a.csv", pd.DataFrame({"epoch": [1, 2], "loss": [0.1, 1 / 3]}))
    assert (tmp_path / "a.csv").read_bytes() == b"epoch,loss\n1,0.1\n2,0.3333333333333333\n"


def test_names_that_look_like_numbers_stay_names(tmp_path):
    path = tmp_path / "a.csv"
    for column in ("class", "max_class", "predicted", "true"):
        written = pd.DataFrame({column: ["00", "1", "1e3", None], "images": [1, 2, 3, 4]})
        files.write_csv(path, written)
        pd.testing.assert_frame_equal(files.read_csv(path, "download"), written)


def test_floats_of_a_csv_read_back_bit_for_bit(tmp_path):
    bits = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    floats = bits.view(np.float64)
    frame = pd.DataFrame({"x": floats[np.isfinite(floats)]})
    files.write_csv(tmp_path / "a.csv", frame)
    pd.testing.assert_frame_equal(files.read_csv(tmp_path / "a.csv", ""), frame, check_exact=True)


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_file_is_named_with_the_stage_that_makes_it(reader, tmp_path):
    assert refused(reader, tmp_path / "a").startswith("missing: run")


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        *product(READERS, [b"", b"\xff\0\xff", None]),
        *((files.read_csv, rows) for rows in (b"a,b\n1\n", b"a\n1,2\n", b"a\n\n")),
        (files.read_csv, b"a,b\n1,2,3,4\n5,6,7,8,9\n"),
    ],
)
def test_a_damaged_file_is_named_with_the_stage_that_makes_it(reader, content, tmp_path):
    path = tmp_path / "a"
    path.mkdir() if content is None else path.write_bytes(content)
    assert refused(reader, path).startswith("damaged (")


def test_a_full_disk_is_reported_with_the_file_that_it_has_no_room_for(tmp_path):
    path = tmp_path / "folder" / "a.txt"
    error = OSError(errno.ENOSPC, "No space left on device")
    assert fail(files.atomic_write, path, Path.touch, error).filename == str(path)
    assert list(path.parent.iterdir()) == []


def test_a_copy_that_cannot_be_made_names_itself_and_not_its_source(tmp_path):
    source, copy, folder = (tmp_path / name for name in ("source", "new/copy", "folder"))
    source.write_text("a")
    files.copy(source, copy)
    assert copy.read_text() == "a"
    folder.mkdir()
    with pytest.raises(OSError, match="folder") as refused:
        files.copy(source, folder)
    assert refused.value.filename == str(folder)
    with pytest.raises(FileNotFoundError) as missing:
        files.copy(tmp_path / "none", copy)
    assert missing.value.filename == str(tmp_path / "none")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_file_that_the_system_refuses_to_read_is_not_called_damaged(number, tmp_path):
    path = tmp_path / "best.json"
    path.write_text("{}")
    with pytest.raises(OSError, match=os.strerror(number)) as refused:  # noqa: SIM117
        with files.reading(path, "train net1"):
            raise OSError(number, os.strerror(number))
    assert refused.value.filename == str(path)
