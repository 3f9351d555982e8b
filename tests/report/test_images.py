import pytest

from convscope.report import images
from convscope.report.images import OFFICIAL_ARCHIVES, Images
from convscope.report.reading import Folder
from tests.report import folders


@pytest.mark.parametrize(
    ("found", "studied", "official", "called"),
    [
        (Images("cifar10", OFFICIAL_ARCHIVES[0]), True, True, "CIFAR-10"),
        (Images("cifar10", "0123"), True, False, "CIFAR-10 (not an official archive)"),
        (Images("digits", OFFICIAL_ARCHIVES[0]), False, False, "digits"),
        (Images(""), False, False, "unknown images"),
    ],
)
def test_only_an_official_archive_has_the_studys_images(found, studied, official, called):
    assert (found.studied, found.official, found.called) == (studied, official, called)


def test_they_are_read_from_what_download_wrote(reports):
    download = Folder(reports, "download", "download")
    assert images.measured_on(download) == Images("digits", "")
    folders.replace(reports / "download/dataset.json", {"name": "cifar10", "md5": "ab"})
    assert images.measured_on(download) == Images("cifar10", "ab")
    folders.replace(reports / "download/dataset.json", {"name": None})
    assert images.measured_on(download) == Images("", "")
