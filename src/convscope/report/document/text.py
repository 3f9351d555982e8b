"""What numbers, networks and the data set are called inside the report's sentences."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from convscope.base import names as base_names
from convscope.base.report_folder import Finished
from convscope.report.document import columns

# md5 of cifar-10-python.tar.gz and cifar-10-binary.tar.gz, as their publisher states them
OFFICIAL_ARCHIVES = ("c58f30108f718f92721af3b95e74349a", "c32a1d4ab5d03f1284b67883e8d87530")

_CALLED = {"cifar100": "CIFAR-100", "folder": "a folder of pictures"}


class DataSet(NamedTuple):
    """The data set that was measured on: its name and its archive's md5, empty if it has none."""

    name: str
    md5: str = ""

    @property
    def studied(self) -> bool:
        """Whether it is the study's, in whatever archive."""
        return self.name == "cifar10"

    @property
    def official(self) -> bool:
        """Whether it is the study's to the last pixel."""
        return self.studied and self.md5 in OFFICIAL_ARCHIVES

    @property
    def called(self) -> str:
        """A name for readers, which says so of an archive that may hold other pixels."""
        if not self.studied:
            return _CALLED.get(self.name, self.name) or "unknown images"
        return "CIFAR-10" if self.official else "CIFAR-10 (not an official archive)"


percent, count = columns.SHARE.show, columns.COUNT.show


def counted(number: float, noun: str, plural: str = "") -> str:
    """A number and its noun: ``"1 filter"``, ``"10 filters"``."""
    return f"{count(number)} {noun if number == 1 else plural or f'{noun}s'}"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: ``"a"``, ``"a and b"``, ``"a, b and c"``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def natural(names: Collection[str]) -> list[str]:
    """Names in their natural order: net2 before net10."""
    return sorted(names, key=base_names.natural)


def taken(found: int, wanted: int | None) -> str:
    """How many test images were used, where a parameter asked for so many (None: all)."""
    images = counted(found, "test image")
    if wanted is not None and found < wanted:
        return f"{images} (all there are of the {count(wanted)} asked for)"
    return images


def analyzed_net(folder: Finished) -> str:
    """The network that a stage analyzed."""
    return folder.param("analysis", "net", str) or "the network"
