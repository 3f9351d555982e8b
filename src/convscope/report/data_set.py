"""Which data set a pipeline measured on, and whether it is the study's."""

from dataclasses import dataclass

from convscope.base.report_folder import Finished

# the data set of the study, as dataset.json and as its readers name it
STUDY_DATA = "cifar10"
STUDY_DATA_NAME = "CIFAR-10"
# md5 of cifar-10-python.tar.gz and cifar-10-binary.tar.gz, as their publisher states them
OFFICIAL_ARCHIVES = ("c58f30108f718f92721af3b95e74349a", "c32a1d4ab5d03f1284b67883e8d87530")


@dataclass(frozen=True)
class DataSet:
    """The data set that was measured on: its name and its archive's md5, empty if it has none."""

    name: str
    md5: str = ""

    @property
    def studied(self) -> bool:
        """Whether it is the study's, in whatever archive."""
        return self.name == STUDY_DATA

    @property
    def official(self) -> bool:
        """Whether it is the study's to the last pixel."""
        return self.studied and self.md5 in OFFICIAL_ARCHIVES

    @property
    def called(self) -> str:
        """A name for readers, which says so of an archive that may hold other pixels."""
        if not self.studied:
            return self.name or "unknown images"
        return STUDY_DATA_NAME if self.official else f"{STUDY_DATA_NAME} (not an official archive)"


def measured_on(download: Finished) -> DataSet:
    """The data set of a finished pipeline."""
    found = download.json("dataset")
    return DataSet(str(found.get("name") or ""), str(found.get("md5") or ""))
