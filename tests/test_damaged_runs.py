import contextlib
import random
import shutil
from pathlib import Path

import pytest
import torch

from convscope.base import files, paths
from convscope.base.report_folder import Finished
from convscope.nets import trained
from convscope.training import grid, trainer
from tests import projects, toys

RUN = toys.run(epochs=2)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """A project folder with a store of one run and its model folder."""
    folder = tmp_path_factory.mktemp("trained")
    with contextlib.chdir(folder):
        trainer.train(RUN, toys.red_or_blue(), grid.store_folder(RUN), torch.device("cpu"))
        grid.assemble([RUN], Path("models/net1"))
    return folder


@pytest.fixture
def models(trained_once, tmp_path, monkeypatch):
    """A copy of the model folder, in a copy of the project folder."""
    shutil.copytree(trained_once, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return Path("models/net1")


def refused(path, content, read, *arguments):
    """The line with which a file of such bytes is refused; nothing is changed by reading it."""
    path.write_bytes(content)
    before = projects.contents(Path())
    message = toys.refusal(read, *arguments)
    assert message.startswith(f"{path} is damaged (")
    assert projects.contents(Path()) == before
    return message


@pytest.mark.parametrize("seed", range(30))
def test_damaged_weights_are_refused(seed, models):
    rng, path = random.Random(seed), models / "runs" / RUN.id / paths.WEIGHTS
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[rng.randrange(8 if seed % 2 else len(whole))] ^= 1 << rng.randrange(8)
    for content in (whole[: rng.randrange(len(whole))], changed):
        message = refused(path, content, trained.load_best, models, RUN.data)
        assert "run `convscope train net1`" in message


def test_a_best_json_that_is_cut_or_cannot_be_read_is_refused(models):
    path = models / paths.BEST
    whole = path.read_bytes()
    cuts = (whole[: len(whole) * part // 20] for part in range(1, 20))
    for content in (*cuts, b"[" * 10**5, b'{"id":' * 10**5, b"9" * 5000, b"\xff", b"\0"):
        refused(path, content, trained.load_best, models, RUN.data)
        read = Finished(Path("models"), "net1").json
        refused(models / "params.json", content, read, "params")


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", [paths.RUN, paths.HISTORY, paths.WEIGHTS])
@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_run_in_the_store_is_not_finished(name, seed):
    rng, folder = random.Random(seed), grid.store_folder(RUN)
    assert trainer.is_finished(RUN, folder)
    whole = (folder / name).read_bytes()
    # run.json's last byte is a line end, and the rest is still the whole document
    (folder / name).write_bytes(whole[: rng.randrange(len(whole) - 2)])
    assert not trainer.is_finished(RUN, folder)
    if name != paths.RUN:
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(changed)
        assert not trainer.is_finished(RUN, folder)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["best"].update(test_accuracy=0.9986),
        lambda said: said["best"].update(epoch=1 if said["best"]["epoch"] == 2 else 2),
        lambda said: said.update(total_parameters=7),
        lambda said: said.update(fingerprint="another"),
        lambda said: said["identity"].update(data="another"),
        lambda said: said["point"].update(lr=0.5),
        lambda said: said.pop("best"),
        lambda said: said.update(more=1),
    ],
)
def test_a_run_whose_run_json_says_otherwise_than_its_history_is_not_finished(change):
    path = grid.store_folder(RUN) / paths.RUN
    said = files.read_json(path, "train net1")
    change(said)
    files.write_json(path, said)
    assert not trainer.is_finished(RUN, path.parent)


def test_what_is_not_a_table_or_is_cut_inside_a_line_is_refused(models):
    path = models / paths.HISTORY
    whole = path.read_bytes()
    ends = {at + 1 for at, byte in enumerate(whole) if byte == ord("\n")}
    cuts = (whole[:kept] for kept in sorted(set(range(len(whole))) - ends)[::5])
    others = (b"\xff,a\n", b'"' * 10**5, b"a,b\n1,2,3\n1\n", b"", b"a\n\0\xff\n")
    for content in (*cuts, *others):
        refused(path, content, files.read_csv, path, "train net1")
    refused(path, others[0], Finished(Path("models"), "net1").table, "history")
