"""A finished project on disk, with a tracking store of its own for each test."""

import shutil
import socket
import subprocess
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest
from tests.report.document.folders import replace
from tests.tracking.study import Study

from convscope.tracking import failures, models, server

DATASET = {"name": "digits", "url": "", "md5": "a" * 32, "fingerprint": "d" * 64}


class Project:
    """A project folder with two finished stages, net1 (two points) and occlusion."""

    points = (0.01, 0.1)

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("reports/download/dataset.json", DATASET)
        for lr in self.points:
            folder = f"models/net1/runs/lr={lr}"
            history = pd.DataFrame(self.epochs(lr)).assign(total_parameters=50677, lr=lr)
            self.write(f"{folder}/run.json", self.run_document(lr))
            self.write(f"{folder}/history.csv", history.to_csv(index=False))
            self.write(f"{folder}/best.safetensors", f"weights {lr}")
        self.write("models/net1/history.csv", "run,epoch\n1,1\n")
        self.write("models/net1/best.json", self.run_document(0.1))
        self.write("reports/train/net1/params.json", {"lr": [0.01, 0.1], "train": {"epochs": 3}})
        self.write("reports/train/net1/metrics.json", {"runs": 2})
        self.write("reports/train/net1/curves.png", "a picture")
        self.write("reports/occlusion/params.json", {"windows": [3, 5], "note": "x" * 7000})
        made_from = {"data": DATASET["fingerprint"], "runs": {"net1": "point-0.1"}}
        for stage in ("train/net1", "occlusion"):
            self.write(f"reports/{stage}/made_from.json", made_from)
        self.write("reports/occlusion/metrics.json", {"mean_confidence": 0.25})
        self.write("reports/occlusion/maps.png", "a picture")

    def write(self, name: str, content: object) -> None:
        replace(self.root / name, content)

    @staticmethod
    def epochs(lr: float) -> list[dict[str, float]]:
        return [
            {
                "epoch": epoch,
                "loss": lr + 2 / epoch,
                "train_accuracy": lr + epoch / 10,
                "test_accuracy": lr + epoch / 20,
                "overfit_percent": 5.0 * epoch,
                "validation_accuracy": epoch / 4,
            }
            for epoch in (1, 2, 3)
        ]

    def run_document(self, lr: float) -> dict[str, object]:
        return {
            "net": "net1",
            "point": {"lr": lr},
            "settings": {"epochs": 3, "select_on": None},
            "fingerprint": f"point-{lr}",
            "total_parameters": 50677,
            "best": self.epochs(lr)[2],
        }

    @cached_property
    def store(self):
        with server.publish_lock(self.root):  # an observer may open it at the same time
            return server.connect(self.root)

    def all_runs(self, condition: str = "") -> list:
        return self.store.client.search_runs([self.store.experiment_id], condition)

    def runs(self, name: str) -> list:
        return [run for run in self.all_runs() if run.info.run_name == name]

    def run(self, name: str):
        (run,) = self.runs(name)
        return run

    def children(self, parent) -> list[str]:
        found = self.all_runs(f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
        return sorted(run.info.run_name for run in found)

    def history(self, run, key: str) -> list[tuple[int, float]]:
        entries = self.store.client.get_metric_history(run.info.run_id, key)
        return sorted((entry.step, entry.value) for entry in entries)

    def assert_every_epoch_once(self, run, lr: float) -> None:
        rows = self.epochs(lr)
        for key in rows[0].keys() - {"epoch"}:
            assert self.history(run, f"epoch/{key}") == [(row["epoch"], row[key]) for row in rows]

    def artifacts(self, run, folder: str | None = None) -> set[str]:
        return {item.path for item in self.store.client.list_artifacts(run.info.run_id, folder)}


@pytest.fixture(autouse=True)
def no_tracking_uri(monkeypatch):
    """Each test starts as a user who has set nothing and has not been warned."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("DVC_EXP_NAME", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(failures, "_warned", set())


MUTE_SECONDS = 4  # what does not wait for it is faster, on a busy machine too


def mute_server(patch):
    """A server that takes connections and never answers, for as long as the generator waits."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield


@pytest.fixture
def mute(monkeypatch):
    """A mute server, of which MLflow asks no longer than ``MUTE_SECONDS``."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(MUTE_SECONDS))
    yield from mute_server(monkeypatch)


def commit(folder, name="."):
    """Make a folder a git checkout with a file or all; the commit."""
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", name], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    return subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()


@pytest.fixture
def folders(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def project(folders, empty_store):
    shutil.copyfile(empty_store, folders.root / "mlflow.db")
    return folders


@pytest.fixture
def bare(tmp_path, empty_store):
    """A study of which nothing has been made."""
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    (tmp_path / ".convscope").mkdir()
    return Study(tmp_path)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A network that has been exported."""
    project = Study(tmp_path_factory.mktemp("study"))
    project.evaluate()
    (candidate,) = models.candidates(project.root, ["net4"])
    folder = tmp_path_factory.mktemp("exported")
    models._export(project.root, candidate, folder)
    return folder


@pytest.fixture
def study(bare, model_folder, monkeypatch):
    """A study of which every network is exported as the same."""
    monkeypatch.setattr(
        models, "_export", lambda *to: shutil.copytree(model_folder, to[2], dirs_exist_ok=True)
    )
    return bare
