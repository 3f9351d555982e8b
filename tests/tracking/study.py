"""A project whose stage evaluate has compared one network, net4, on toy images."""

import contextlib
import json
from pathlib import Path

import torch
from mlflow import MlflowClient
from tests import toys
from tests.report.document.folders import replace
from tests.stages.conftest import save

from convscope.base import files, paths
from convscope.data.datasets import DataSet
from convscope.nets import trained, zoo
from convscope.nets.inference import logits
from convscope.tracking import models, server
from convscope.tracking.publishing import publish_stages

NAME = "convscope-net4"
CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def images(seed):
    parts = (toys.noise(10, seed=seed), torch.arange(10), toys.noise(64, seed=9), torch.zeros(64))
    return DataSet(*parts[:3], parts[3].long(), CLASSES, groups={}, url="toy", md5="")


class Study:
    """A project whose stage evaluate has compared one network, net4."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def evaluate(self, lr=0.02, accuracy=0.5, seed=0):
        """Leave what the stages do of a run with another learning rate, or on another data set."""
        dataset = images(seed)
        run = toys.run("net4", dropout_rate=0.5, lr=lr, data=dataset.fingerprint)
        torch.manual_seed(int(lr * 1000))
        with contextlib.chdir(self.root):
            folder = save(run, zoo.build(run.net, **run.point), dataset)
            best = json.loads((folder / paths.BEST).read_text())
            best["best"]["test_accuracy"] = accuracy
            files.write_json(folder / paths.BEST, best)
        made_from = {"data": dataset.fingerprint, "runs": {"net4": best["fingerprint"]}}
        for name, content in {
            "download/dataset.json": {
                "name": "toys",
                "url": "",
                "fingerprint": dataset.fingerprint,
            },
            "evaluate/params.json": {},
            "evaluate/metrics.json": {"net4_test_accuracy": accuracy},
            "evaluate/made_from.json": made_from,
        }.items():
            replace(self.root / paths.REPORTS / name, content)
        return best

    def publish(self, **changes):
        """Leave that and publish it; the run in MLflow."""
        self.evaluate(**changes)
        return publish_stages(self.root, [models.STAGE])[0].run_id

    @property
    def client(self):
        return MlflowClient(server.tracking_uri(self.root))

    def versions(self):
        found = self.client.search_model_versions(f"name = '{NAME}'")
        return sorted(found, key=lambda version: int(version.version))

    def best(self):
        return int(self.client.get_registered_model(NAME).aliases["best"])

    def logged(self):
        experiment = self.client.get_experiment_by_name(server.EXPERIMENT)
        return self.client.search_logged_models([experiment.experiment_id])

    def expected(self, count):
        """The first test images, and the softmax of our logits."""
        with contextlib.chdir(self.root):
            subject = trained.load_subject("net4")
        batch = subject.dataset.test_images[:count]
        return batch, torch.softmax(logits(subject.module, batch), dim=1)
