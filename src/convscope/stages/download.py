"""download: an archive, or scikit-learn's digits -> data/dataset.safetensors."""

import pandas as pd
import torch

from convscope import config, data, origins, workspace
from convscope.archives import Archive
from convscope.figures import images
from convscope.progress import download_bar
from convscope.reporting import reporting
from convscope.sections import Data


def run() -> None:
    """Make the data set, with its class counts and a picture of its first images.

    Raises:
        UserError: No archive can be had, or it holds fewer images than asked for.
    """
    settings = config.need(config.load().data, "data")
    dataset = _obtain(settings)
    # where the archive lay on this machine changes nothing, so it stays out of the outputs
    params = {"data": settings.model_dump(mode="json", exclude={"archives"})}
    with reporting(workspace.REPORTS / "download", params) as report:
        report.json(
            "dataset",
            {
                "name": settings.source,
                "url": dataset.url,
                "md5": dataset.md5,
                "fingerprint": dataset.fingerprint,
            },
        )
        counts = {
            part: torch.bincount(labels, minlength=len(dataset.classes)).tolist()
            for part, labels in (("train", dataset.train_labels), ("test", dataset.test_labels))
        }
        report.table("class_counts", pd.DataFrame({"class": dataset.classes, **counts}))
        report.metrics({f"{part}_images": sum(count) for part, count in counts.items()})
        report.figure(
            "samples", images.samples(dataset.train_images, dataset.train_labels, dataset.classes)
        )
        data.save(dataset, workspace.DATASET)


def _obtain(settings: Data) -> data.DataSet:
    if settings.source == "digits":
        dataset = origins.digits()
    else:
        archives = [Archive(archive.url, archive.md5) for archive in settings.archives]
        dataset = origins.cifar10(archives, workspace.ARCHIVES, download_bar())
    return dataset.head(settings.train_images, settings.test_images)
