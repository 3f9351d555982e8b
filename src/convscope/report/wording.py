"""Words that several sections of the report use."""

from collections.abc import Mapping, Sequence

from convscope.report import columns

# the data set of the study, as dataset.json and as its readers name it
STUDY_DATA = "cifar10"
STUDY_DATA_NAME = "CIFAR-10"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun: ``"1 filter"``, ``"10 filters"``."""
    return f"{columns.count(number)} {noun if number == 1 else plural or f'{noun}s'}"


def filter_names(chosen: Mapping[str, Sequence[int]]) -> list[str]:
    """Filters as the tables name them, ``conv1/0``, from layers and numbers."""
    return [f"{layer}/{number}" for layer, numbers in chosen.items() for number in numbers]
