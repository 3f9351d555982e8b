import pytest

from convscope.base.report_folder import Finished
from convscope.report.data_set import OFFICIAL_ARCHIVES, DataSet, measured_on
from tests.report import folders


@pytest.mark.parametrize(
    ("found", "studied", "official", "called"),
    [
        (DataSet("cifar10", OFFICIAL_ARCHIVES[0]), True, True, "CIFAR-10"),
        (DataSet("cifar10", "0123"), True, False, "CIFAR-10 (not an official archive)"),
        (DataSet("digits", OFFICIAL_ARCHIVES[0]), False, False, "digits"),
        (DataSet(""), False, False, "unknown images"),
    ],
)
def test_only_an_official_archive_has_the_studys_images(found, studied, official, called):
    assert (found.studied, found.official, found.called) == (studied, official, called)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ({"name": "cifar10", "md5": "ab"}, DataSet("cifar10", "ab")),
        ({"name": None}, DataSet("", "")),
    ],
)
def test_it_is_read_from_what_download_wrote(tmp_path, written, found):
    folders.replace(tmp_path / "download/dataset.json", written)
    assert measured_on(Finished(tmp_path, "download")) == found
