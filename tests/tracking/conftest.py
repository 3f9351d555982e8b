"""A finished project on disk, and an SQLite store that is made once and copied for each test."""

import json
import shutil
from functools import cached_property
from pathlib import Path

import pytest

from convscope.tracking import server

DATASET = {"name": "digits", "url": "", "md5": "a" * 32, "fingerprint": "d" * 64}
HISTORY_HEADER = "epoch,loss,train_accuracy,test_accuracy,overfit_percent,total_parameters,lr"


class Project:
    """A project folder with two finished stages, net1 (two points) and occlusion."""

    points = (0.01, 0.1)

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("reports/download/dataset.json", DATASET)
        self.write_net1()
        self.write("reports/occlusion/params.json", {"windows": [3, 5], "note": "x" * 7000})
        self.write("reports/occlusion/metrics.json", {"mean_confidence": 0.25})
        self.write("reports/occlusion/maps.png", "a picture")

    def write(self, name: str, content: object) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    def write_net1(self) -> None:
        table = [f"run,{HISTORY_HEADER}"]
        for number, lr in enumerate(self.points, 1):
            table += [f"{number},{row}" for row in self.write_point(lr)]
            self.write("models/net1/best.json", self.run_document(lr))
        self.write("models/net1/history.csv", "\n".join(table) + "\n")
        self.write("reports/train/net1/params.json", {"lr": [0.01, 0.1], "train": {"epochs": 3}})
        self.write("reports/train/net1/metrics.json", {"runs": 2})
        self.write("reports/train/net1/curves.png", "a picture")

    def write_point(self, lr: float) -> list[str]:
        folder = f"models/net1/runs/lr={lr}"
        rows = [",".join(map(repr, [*row.values(), 50677, lr])) for row in self.epochs(lr)]
        self.write(f"{folder}/run.json", self.run_document(lr))
        self.write(f"{folder}/history.csv", "\n".join([HISTORY_HEADER, *rows]) + "\n")
        self.write(f"{folder}/best.safetensors", f"weights {lr}")
        return rows

    @staticmethod
    def epochs(lr: float) -> list[dict[str, float]]:
        return [
            {
                "epoch": epoch,
                "loss": lr + 2 / epoch,
                "train_accuracy": lr + epoch / 10,
                "test_accuracy": lr + epoch / 20,
                "overfit_percent": 5.0 * epoch,
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
        with server.publish_lock(self.root):  # a test may be the first, beside an observer
            return server.connect(self.root)

    def runs(self, name: str) -> list:
        found = self.store.client.search_runs([self.store.experiment_id])
        return [run for run in found if run.info.run_name == name]

    def run(self, name: str):
        (run,) = self.runs(name)
        return run

    def children(self, parent) -> list[str]:
        below = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
        found = self.store.client.search_runs([self.store.experiment_id], below)
        return sorted(run.info.run_name for run in found)

    def history(self, run, key: str) -> list[tuple[int, float]]:
        entries = self.store.client.get_metric_history(run.info.run_id, key)
        return sorted((entry.step, entry.value) for entry in entries)

    def artifacts(self, run, folder: str | None = None) -> set[str]:
        return {item.path for item in self.store.client.list_artifacts(run.info.run_id, folder)}


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    server.open_client(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def folders(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def project(folders, empty_store, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    monkeypatch.setattr(server, "_warned", set())
    shutil.copyfile(empty_store, folders.root / "mlflow.db")
    return folders
