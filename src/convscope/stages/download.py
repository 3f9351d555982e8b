"""download: an archive, a folder or scikit-learn's digits -> data/dataset.safetensors."""

import sys

import pandas as pd
import torch

from convscope import figures
from convscope.base import paths
from convscope.base.progress import counter, download_bar
from convscope.base.report_folder import MadeFrom, reporting
from convscope.config import params_file
from convscope.config.schema import Data
from convscope.data import cifar, datasets, digits, folder
from convscope.data.datasets import DataSet


def run() -> None:
    """Make the data set, with its class counts and a picture of its first images.

    Raises:
        UserError: No archive is available, the folder holds no classes of pictures, or there are
            fewer images than asked for.
    """
    params = params_file.load()
    settings = params_file.need(params.data, "data")
    dataset = _read(settings).head(settings.train_images, settings.test_images)
    params_file.require_images(params, dataset.train_labels)
    used = {"data": settings.used()}
    with reporting(paths.REPORTS / "download", used, MadeFrom(dataset.fingerprint)) as report:
        described = {"url": dataset.url, "md5": dataset.md5, "fingerprint": dataset.fingerprint}
        report.json("dataset", {"name": settings.source, **described})
        counts = {
            part: torch.bincount(labels, minlength=len(dataset.classes)).tolist()
            for part, labels in (("train", dataset.train_labels), ("test", dataset.test_labels))
        }
        report.table("class_counts", pd.DataFrame({"class": dataset.classes, **counts}))
        report.metrics({f"{part}_images": sum(count) for part, count in counts.items()})
        shown = list(figures.names.drawn(dataset.classes).values())
        samples = figures.galleries.samples(dataset.train_images, dataset.train_labels, shown)
        report.figure("samples", samples)
        datasets.save(dataset, paths.DATASET)


def _read(settings: Data) -> DataSet:
    """All images of the source."""
    if settings.source == "digits":
        return digits.read()
    if settings.source == "folder":
        assert settings.folder is not None, "the section's own check"
        told = counter("download", "picture")
        return folder.read(settings.folder, settings.test_fraction, settings.seed, _warn, told)
    if settings.folder is not None:
        return cifar.read_unpacked(settings.source, settings.folder)
    return cifar.read(settings.source, settings.archives, paths.ARCHIVES, download_bar())


def _warn(line: str) -> None:
    print(f"convscope: download: {line}", file=sys.stderr, flush=True)
