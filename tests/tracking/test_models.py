"""The registry, on an SQLite file and on a server; a network is exported for real once."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from unittest.mock import Mock

import mlflow
import pytest
import torch
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests import toys
from tests.report.folders import replace
from tests.stages.conftest import save

from convscope.base import files, paths
from convscope.data.datasets import DataSet
from convscope.nets import trained, zoo
from convscope.nets.inference import logits
from convscope.tracking import exported, models, registrar, server
from convscope.tracking.publishing import publish, publish_stages
from convscope.tracking.tracker import Tracker

NAME = "convscope-net4"
CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SECONDS = 300  # what a server or an export may take on a busy machine


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


@pytest.fixture
def bare(tmp_path, empty_store):
    """A study of which nothing has been made."""
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    (tmp_path / ".convscope").mkdir()
    return Study(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network that has been exported."""
    project = Study(tmp_path_factory.mktemp("study"))
    project.evaluate()
    (candidate,) = models.candidates(project.root, ["net4"])
    folder = tmp_path_factory.mktemp("exported")
    models._export(project.root, candidate, folder)
    return folder


@pytest.fixture
def study(bare, folder, monkeypatch):
    """A study of which every network is exported as the same."""
    monkeypatch.setattr(
        models, "_export", lambda *to: shutil.copytree(folder, to[2], dirs_exist_ok=True)
    )
    return bare


def test_a_version_says_what_it_is_of_and_belongs_to_the_run_of_evaluate(study):
    run_id = study.publish(accuracy=0.875)
    best = json.loads((study.root / "models/net4/best.json").read_text())
    (version,), (logged,) = study.versions(), study.logged()
    assert version.tags == {
        "net": "net4",
        "fingerprint": best["fingerprint"],
        "data": best["identity"]["data"],
        "data_set": "toys",
        "test_accuracy": "0.875",
        "weights_md5": best["md5"][paths.WEIGHTS],
    }
    assert (version.run_id, logged.source_run_id, logged.status) == (run_id, run_id, "READY")
    assert version.description.startswith("The best net4 on toys: test accuracy 87.50 %. Takes RGB")
    assert version.description.endswith(f"probabilities of {', '.join(CLASSES)}.")
    assert logged.params["lr"] == "0.02"
    (output,) = study.client.get_run(run_id).outputs.model_outputs
    assert output.model_id == logged.model_id
    assert study.best() == 1


def test_the_signature_names_the_classes_and_the_requirements_are_those_installed(folder):
    model = mlflow.models.Model.load(str(folder))
    (taken,), (answered,) = model.signature.inputs.inputs, model.signature.outputs.inputs
    assert (str(taken.type), taken.shape) == ("uint8", (-1, 3, 32, 32))
    assert (str(answered.type), answered.shape) == ("float32", (-1, 10))
    assert answered.name == f"probabilities of {', '.join(CLASSES)}"
    assert model.metadata["classes"] == list(CLASSES)
    requirements = (folder / "requirements.txt").read_text().split()
    assert f"torch=={torch.__version__.split('+')[0]}" in requirements
    assert model.load_input_example(str(folder)).shape == (exported.EXAMPLES, 3, 32, 32)


def test_nothing_of_it_is_a_pickle_that_could_run_code_and_no_folder_is_named(folder):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".pth", ".pkl", ".pickle", ".py"))]
    with zipfile.ZipFile(folder / "data/model.pt2") as archive:
        weights = json.loads(archive.read("model/data/weights/model_weights_config.json"))
        graph = archive.read("model/models/model.json").decode()
    assert [entry for entry in weights["config"].values() if entry["use_pickle"]] == []
    assert str(Path(models.__file__).parents[3]) not in graph


def test_loaded_it_answers_the_softmax_of_our_logits_to_the_last_bit(bare, monkeypatch):
    bare.publish()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.tracking_uri(bare.root))
    # each record is then checked to be a tensor or text
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    # and it stays on the processor that it was exported on
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    module = mlflow.pytorch.load_model(f"models:/{NAME}@best")
    served = mlflow.pyfunc.load_model(f"models:/{NAME}@best")
    monkeypatch.undo()
    for count in (1, 2, 7, 64):
        batch, expected = bare.expected(count)
        assert torch.equal(module(batch), expected)
        assert torch.equal(torch.from_numpy(served.predict(batch.numpy())), expected)


def test_publishing_again_changes_nothing(study):
    study.publish()
    before = [dict(version) for version in study.versions()], study.logged()
    publish(study.root)
    after = [dict(version) for version in study.versions()], study.logged()
    assert [len(part) for part in after] == [1, 1]
    assert after[0] == before[0]
    assert after[1][0].to_dictionary() == before[1][0].to_dictionary()


def test_a_version_or_a_model_that_was_deleted_comes_back(study):
    study.publish()
    for delete in (
        lambda client: client.delete_model_version(NAME, "1"),
        lambda client: client.delete_registered_model(NAME),
        lambda client: client.delete_logged_model(study.logged()[0].model_id),
    ):
        delete(study.client)
        study.publish()
        (version,) = study.versions()
        assert study.best() == int(version.version)
        assert version.tags["net"] == "net4"
    study.client.delete_registered_model(NAME)
    study.publish()  # of the model that is there no longer
    assert [model.status for model in study.logged()] == ["READY"]


BETTER, WORSE, OTHER = {"accuracy": 0.9}, {"accuracy": 0.4, "lr": 0.03}, {"seed": 1, "lr": 0.04}


@pytest.mark.parametrize(
    ("studies", "best"),
    [
        ([WORSE, BETTER], 2),
        ([BETTER, WORSE], 2),  # newer
        ([WORSE, BETTER, WORSE], 2),  # restored from a cache
        ([BETTER, WORSE, BETTER], 1),
        ([WORSE, {**OTHER, "accuracy": 1.0}], 1),
        ([OTHER, BETTER, OTHER], 1),
    ],
)
def test_the_alias_moves_to_a_better_or_a_newer_study_on_the_same_data(studies, best, study):
    for changes in studies:
        study.publish(**changes)
    assert len(study.versions()) == 2
    assert study.best() == best


def test_an_alias_that_somebody_gave_to_a_version_of_their_own_stays(study):
    study.client.create_registered_model(NAME)
    study.client.create_model_version(NAME, "file:///theirs")
    study.client.set_registered_model_alias(NAME, "best", "1")
    study.publish()
    assert (study.best(), len(study.versions())) == (1, 2)


def test_two_projects_on_one_server_share_what_is_the_same(study, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.tracking_uri(study.root))
    study.publish()
    second = tmp_path / "second"
    shutil.copytree(study.root / "reports", second / "reports")
    shutil.copytree(study.root / "models", second / "models")
    publish(second)
    assert len(study.versions()) == 1
    Study(second).publish(**WORSE)
    assert [version.tags["test_accuracy"] for version in study.versions()] == ["0.5", "0.4"]


@pytest.mark.parametrize("step", ["log_model_artifacts", "create_model_version"])
def test_an_attempt_that_was_killed_is_made_good_by_the_next(step, study, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, step, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            study.publish()
    assert study.versions() == []
    study.publish()
    assert [model.status for model in study.logged()] == ["READY"]
    assert (study.best(), len(study.versions())) == (1, 1)


@pytest.mark.parametrize("register", [models.register, models.register_later])
@pytest.mark.parametrize("call", ["search_model_versions", "create_registered_model"])
def test_a_registry_that_is_missing_or_refuses_is_one_line(
    call, register, study, monkeypatch, capfd
):
    begun = Mock()
    monkeypatch.setattr(registrar, "start", begun)
    monkeypatch.setattr(
        MlflowClient, call, Mock(side_effect=MlflowException("http://ann:pw@host: no\nregistry"))
    )
    study.evaluate()
    (published,) = publish_stages(study.root, [models.STAGE], register)
    assert study.client.get_run(published.run_id).info.status == "FINISHED"
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("convscope: warning: model registry: not tracked in MLflow at sqlite")
    assert line.endswith("(http://***@host: no registry): run `convscope publish` when it answers")
    begun.assert_not_called()


def test_a_damaged_network_is_one_line_that_names_what_makes_it(bare, capfd):
    best = bare.evaluate()
    weights = bare.root / "models/net4/runs" / best["id"] / paths.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    publish(bare.root)
    (line,) = capfd.readouterr().err.splitlines()
    assert "best.safetensors is damaged" in line
    assert "run `convscope train net4` (or `dvc repro`), then run `convscope publish`" in line
    assert bare.versions() == bare.logged() == []


def test_weights_that_have_just_been_replaced_are_not_given_the_tags_of_others(bare):
    bare.evaluate()
    (candidate,) = models.candidates(bare.root, ["net4"])
    bare.evaluate(lr=0.5)
    with pytest.raises(Exception, match="has just been replaced"):
        models._export(bare.root, candidate, bare.root / "folder")


def wait_for(true, process=None):
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        assert process is None or process.poll() is None
        time.sleep(0.1)


@contextlib.contextmanager
def serving(log, answers, *command, **environment):
    """The address of one of MLflow's servers, once it answers; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    mlflow_command = [sys.executable, "-m", "mlflow", *command, "--port", str(port)]

    def is_up():
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/{answers}") as answer:
            return answer.status == 200

    with log.open("w") as said:
        process = subprocess.Popen(
            mlflow_command,
            env=os.environ | environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        wait_for(is_up, process)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answer(address, document):
    request = urllib.request.Request(
        f"{address}/invocations",
        json.dumps(document).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answered:
        return json.load(answered)


@pytest.mark.pipeline
def test_a_server_keeps_it_and_another_answers_requests_with_the_probabilities(
    bare, tmp_path, monkeypatch
):
    store = f"sqlite:///{tmp_path}/mlflow.db"
    keep = ("server", "--backend-store-uri", store, "--artifacts-destination", str(tmp_path / "a"))
    serve = ("models", "serve", "-m", f"models:/{NAME}@best", "--env-manager", "local")
    with serving(tmp_path / "server.log", "health", *keep, "--workers", "1") as kept:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", kept)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS))
        run_id = bare.publish()
        (version,) = bare.versions()
        assert (version.run_id, bare.best()) == (run_id, 1)
        with serving(tmp_path / "serve.log", "ping", *serve) as served:
            batch, expected = bare.expected(3)
            found = answer(served, {"inputs": batch.tolist()})["predictions"]
            # another process, whose sums may be shared by other threads
            torch.testing.assert_close(torch.tensor(found), expected, rtol=1e-5, atol=1e-7)
            with pytest.raises(urllib.error.HTTPError, match="400"):
                answer(served, {"inputs": [[[[256]]]]})


@pytest.mark.pipeline
def test_a_stage_does_not_wait_for_the_registrar_which_outlives_it(bare, capfd):
    bare.evaluate()
    with contextlib.chdir(bare.root), Tracker(Path(), models.STAGE) as tracker:
        assert tracker.publish().action == "created"
    assert bare.versions() == []
    wait_for(lambda: models._aliases(bare.client, NAME))
    assert (bare.best(), len(bare.versions())) == (1, 1)
    assert capfd.readouterr() == ("", "")
    assert (bare.root / registrar.LOG).read_text() == ""
