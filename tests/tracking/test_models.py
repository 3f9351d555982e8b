import json
import shutil
from unittest.mock import Mock

import pytest
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.tracking.study import CLASSES, NAME, Study

from convscope.base import paths
from convscope.tracking import models, registrar, server
from convscope.tracking.publishing import publish, publish_stages


def test_a_version_says_what_it_is_of_and_belongs_to_the_run_of_evaluate(study):
    run_id = study.publish(accuracy=0.875)
    best = json.loads((study.root / "models/net4/best.json").read_text())
    (version,), (logged,) = study.versions(), study.logged()
    assert version.tags == {
        "net": "net4",
        "fingerprint": best["fingerprint"],
        "data": "toys",
        "data_fingerprint": best["identity"]["data"],
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


def test_a_process_that_never_ends_registering_is_not_waited_for_for_ever(
    study, monkeypatch, capfd
):
    monkeypatch.setattr(models, "_LOCK_SECONDS", 0.1)
    with FileLock(study.root / models._LOCK):
        study.publish()
    assert "registry.lock" in capfd.readouterr().err
    assert study.versions() == []
