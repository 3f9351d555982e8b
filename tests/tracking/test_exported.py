"""A network as an MLflow model: what it answers, and that nothing of it can run code."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import mlflow
import pytest
import torch
from tests import warm
from tests.tracking.study import CLASSES, NAME
from tests.waiting import SECONDS, wait_for

from convscope.tracking import exported, models, server


def test_the_signature_names_the_classes_and_the_requirements_are_those_installed(model_folder):
    model = mlflow.models.Model.load(str(model_folder))
    (taken,), (answered,) = model.signature.inputs.inputs, model.signature.outputs.inputs
    assert (str(taken.type), taken.shape) == ("uint8", (-1, 3, 32, 32))
    assert (str(answered.type), answered.shape) == ("float32", (-1, 10))
    assert answered.name == f"probabilities of {', '.join(CLASSES)}"
    assert model.metadata["classes"] == list(CLASSES)
    requirements = (model_folder / "requirements.txt").read_text().split()
    assert f"torch=={torch.__version__.split('+')[0]}" in requirements
    assert model.load_input_example(str(model_folder)).shape == (exported.EXAMPLES, 3, 32, 32)


def test_nothing_of_it_is_a_pickle_that_could_run_code_and_no_folder_is_named(model_folder):
    names = {
        path.relative_to(model_folder).as_posix()
        for path in model_folder.rglob("*")
        if path.is_file()
    }
    assert not [name for name in names if name.endswith((".pth", ".pkl", ".pickle", ".py"))]
    with zipfile.ZipFile(model_folder / "data/model.pt2") as archive:
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


@contextlib.contextmanager
def serving(log, answers, *command, python=sys.executable, **environment):
    """The address of one of MLflow's servers, once it answers; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    mlflow_command = [python, "-m", "mlflow", *command, "--port", str(port)]

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
    keep = ("server", "--workers", "1", "--backend-store-uri", store)
    keep += ("--artifacts-destination", str(tmp_path / "a"))
    serve = ("models", "serve", "-m", f"models:/{NAME}@best", "--env-manager", "local")
    forked = {"python": str(warm.programs() / "python")}
    none = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # they would be started again and again
    with serving(tmp_path / "server.log", "health", *keep, **forked, **none) as kept:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", kept)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS))
        run_id = bare.publish()
        (version,) = bare.versions()
        assert (version.run_id, bare.best()) == (run_id, 1)
        # that one starts another, as cold as a user's, which loads the network
        with serving(tmp_path / "serve.log", "ping", *serve, **forked) as served:
            batch, expected = bare.expected(3)
            found = answer(served, {"inputs": batch.tolist()})["predictions"]
            # another process, whose sums may be shared by other threads
            torch.testing.assert_close(torch.tensor(found), expected, rtol=1e-5, atol=1e-7)
            with pytest.raises(urllib.error.HTTPError, match="400"):
                answer(served, {"inputs": [[[[256]]]]})
