import random
import shutil
from pathlib import Path

import pytest
import torch

from convscope.base import files, paths
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.nets import trained
from convscope.training import grid, trainer
from tests import toys

RUN = toys.run(epochs=2)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """A project folder with a store of one run and its model folder."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        data = toys.red_or_blue()
        trainer.train(RUN, data, grid.store_folder(RUN), torch.device("cpu"))
        grid.assemble([RUN], Path("models/net1"))
    return folder


@pytest.fixture
def models(trained_once, tmp_path, monkeypatch):
    """A copy of the model folder, in a copy of the project folder."""
    shutil.copytree(trained_once, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return Path("models/net1")


def refused(path, read, *arguments):
    """The line with which a file is refused; nothing is changed by reading it."""
    before = {p: p.read_bytes() for p in sorted(Path().rglob("*")) if p.is_file()}
    with pytest.raises(UserError) as raised:
        read(*arguments)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"{path} is damaged (")
    assert {p: p.read_bytes() for p in sorted(Path().rglob("*")) if p.is_file()} == before
    return message


@pytest.mark.parametrize("seed", range(30))
def test_damaged_weights_are_refused(seed, models):
    rng, path = random.Random(seed), models / "runs" / RUN.id / paths.WEIGHTS
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[rng.randrange(8 if seed % 2 else len(whole))] ^= 1 << rng.randrange(8)
    for content in (whole[: rng.randrange(len(whole))], changed):
        path.write_bytes(content)
        assert "run `convscope train net1`" in refused(path, trained.load_best, models, RUN.data)


@pytest.mark.parametrize("part", range(1, 20))
def test_a_cut_best_json_is_refused(part, models):
    path = models / paths.BEST
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * part // 20])
    refused(path, trained.load_best, models, RUN.data)


@pytest.mark.parametrize("content", [b"[" * 10**5, b'{"id":' * 10**5, b"9" * 5000, b"\xff", b"\0"])
def test_json_that_cannot_be_read_is_refused(content, models):
    path = models / paths.BEST
    path.write_bytes(content)
    refused(path, trained.load_best, models, RUN.data)
    (models / "params.json").write_bytes(content)
    refused(models / "params.json", Finished(Path("models"), "net1").json, "params")


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


def test_a_table_cut_inside_a_line_is_refused(models):
    path = models / paths.HISTORY
    whole = path.read_bytes()
    ends = {at + 1 for at, byte in enumerate(whole) if byte == ord("\n")}
    for kept in sorted(set(range(len(whole))) - ends)[::5]:
        path.write_bytes(whole[:kept])
        refused(path, files.read_csv, path, "train net1")
    refused(path, Finished(Path("models"), "net1").table, "history")


@pytest.mark.parametrize(
    "content", [b"\xff,a\n", b'"' * 10**5, b"a,b\n1,2,3\n1\n", b"", b"a\n\0\xff\n"]
)
def test_what_is_not_a_table_is_refused(content, models):
    path = models / paths.HISTORY
    path.write_bytes(content)
    refused(path, files.read_csv, path, "train net1")
