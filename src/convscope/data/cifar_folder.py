"""CIFAR-10 and CIFAR-100 from the files into which torchvision unpacks an archive."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from convscope.base import inputs
from convscope.base.errors import UserError
from convscope.data import cifar_archive
from convscope.data.cifar_archive import Arrays


class Unpacked(NamedTuple):
    """An official python archive: its md5, and those of the files that it unpacks to.

    They are those that torchvision.datasets states.
    """

    md5: str
    files: Mapping[str, str]


UNPACKED = {
    "cifar10": Unpacked(
        "c58f30108f718f92721af3b95e74349a",
        {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    "cifar100": Unpacked(
        "eb9058c3a382ffc7106e4002c42a8d85",
        {
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
    ),
}


class Found(NamedTuple):
    """What the files hold, and what a data set says of where it came from."""

    arrays: Arrays
    url: str
    md5: str


def read(folder: Path, source: str) -> Found:
    """Read the files in a folder, or in the folder that torchvision makes in it.

    Raises:
        UserError: They are not there, or a file is not the official one, to the last byte.
    """
    kind, official = cifar_archive.KINDS[source], UNPACKED[source]
    name = kind.layouts[0].folder
    inner = folder / name if (folder / name).is_dir() else folder
    members = {}
    for file, md5 in official.files.items():
        path = inner / file
        try:
            inputs.note_file(path)
            content = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"params.yaml: data.path: {path} cannot be read ({error.strerror}): name the "
                f"folder into which torchvision.datasets put {name}, or leave data.path out"
            ) from None
        if (found := hashlib.md5(content).hexdigest()) != md5:
            raise UserError(
                f"params.yaml: data.path: {path} is not {kind.name}'s: its md5 is {found}, not "
                f"{md5}: unpack the archive once more, or leave data.path out"
            )
        members[file] = memoryview(content)
    return Found(cifar_archive.arrays(members, kind), f"file:{name}", official.md5)
