from functools import partial

import pytest

from convscope.base import inputs
from convscope.data import cifar
from convscope.data.cifar_folder import UNPACKED, Unpacked
from tests import archive_samples as samples
from tests import toys
from tests.archive_samples import md5_of
from tests.torchvision_compat import import_torchvision


@pytest.fixture(params=["cifar10", "cifar100"])
def unpacked(request, tmp_path, monkeypatch):
    """A toy archive unpacked in a folder, where its files count as the official ones; a reader."""
    found = {"cifar10": samples.python_members, "cifar100": samples.python100_members}
    md5s = {}
    for name, content in found[request.param]().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        md5s[path.name] = md5_of(content)
    monkeypatch.setitem(UNPACKED, request.param, Unpacked("0" * 32, md5s))
    return path.parent, partial(cifar.read_unpacked, request.param)


def test_the_md5s_are_those_that_torchvision_checks():
    theirs = import_torchvision("torchvision.datasets")
    for source, known in (("cifar10", theirs.CIFAR10), ("cifar100", theirs.CIFAR100)):
        listed = dict(known.train_list + known.test_list)
        listed[known.meta["filename"]] = known.meta["md5"]
        assert UNPACKED[source] == (known.tgz_md5, listed)


def test_the_folder_and_the_one_that_it_is_in_are_the_archive(unpacked):
    folder, read = unpacked
    for named in (folder, folder.parent):
        dataset = read(named)
        assert len(dataset.train_labels) >= samples.EACH
        assert (dataset.url, dataset.md5) == (f"file:{folder.name}", "0" * 32)
        assert len(dataset.classes) in (10, 100)


def test_what_was_read_is_followed_while_the_stage_runs(unpacked, monkeypatch):
    folder, read = unpacked
    noted = []
    monkeypatch.setattr(inputs, "note_file", noted.append)
    read(folder)
    assert {path.name for path in noted} >= {path.name for path in folder.iterdir()}


def test_other_bytes_and_missing_files_are_refused(unpacked):
    folder, read = unpacked
    last = sorted(path for path in folder.iterdir() if "meta" not in path.name)[-1]
    last.write_bytes(last.read_bytes() + b"x")
    assert f"{last} is not CIFAR-10" in toys.refusal(read, folder)
    last.unlink()
    message = toys.refusal(read, folder)
    assert f"{last} cannot be read (No such file or directory)" in message
    assert "\n" not in message
