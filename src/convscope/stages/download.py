"""download: an archive, or scikit-learn's digits -> data/dataset.safetensors."""

import pandas as pd
import torch

from convscope.base import paths
from convscope.base.progress import download_bar
from convscope.base.report_folder import MadeFrom, reporting
from convscope.config import params_file
from convscope.data import cifar10, datasets, digits
from convscope.figures import galleries


def run() -> None:
    """Make the data set, with its class counts and a picture of its first images.

    Raises:
        UserError: No archive is available, or it holds fewer images than asked for.
    """
    params = params_file.load()
    settings = params_file.need(params.data, "data")
    if settings.source == "digits":
        dataset = digits.read()
    else:
        dataset = cifar10.read(settings.archives, paths.ARCHIVES, download_bar())
    dataset = dataset.head(settings.train_images, settings.test_images)
    params_file.require_images(params, dataset.train_labels)
    # where the archive lay on this machine changes nothing, so it stays out of the outputs
    used = {"data": settings.model_dump(mode="json", exclude={"archives"})}
    with reporting(paths.REPORTS / "download", used, MadeFrom(dataset.fingerprint)) as report:
        described = {"url": dataset.url, "md5": dataset.md5, "fingerprint": dataset.fingerprint}
        report.json("dataset", {"name": settings.source, **described})
        counts = {
            part: torch.bincount(labels, minlength=len(dataset.classes)).tolist()
            for part, labels in (("train", dataset.train_labels), ("test", dataset.test_labels))
        }
        report.table("class_counts", pd.DataFrame({"class": dataset.classes, **counts}))
        report.metrics({f"{part}_images": sum(count) for part, count in counts.items()})
        samples = galleries.samples(dataset.train_images, dataset.train_labels, dataset.classes)
        report.figure("samples", samples)
        datasets.save(dataset, paths.DATASET)
