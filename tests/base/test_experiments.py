import pytest

from convscope.base.experiments import undo

REFUSED = "params.yaml: train.sedes: is unknown: did you mean train.seeds?"


@pytest.fixture
def experiment(here, monkeypatch):
    """The folder of an experiment that DVC runs in the workspace."""
    monkeypatch.setenv("DVC_EXP_NAME", "eager-fox")
    monkeypatch.setenv("DVC_ROOT", str(here))
    return here


@pytest.mark.usefixtures("experiment")
def test_a_refusal_of_what_dvc_wrote_says_how_to_undo_it():
    assert undo(REFUSED) == f"{REFUSED}; to undo it: `git checkout params.yaml`, then `dvc repro`"
    assert undo("models/net1 is missing") == "models/net1 is missing"


def test_an_edit_by_hand_is_the_users_own(experiment, monkeypatch):
    monkeypatch.delenv("DVC_EXP_NAME")
    assert undo(REFUSED) == REFUSED
    assert experiment.is_dir()


def test_an_experiment_elsewhere_has_nothing_to_undo(experiment, monkeypatch):
    (experiment / "elsewhere").mkdir()
    monkeypatch.chdir(experiment / "elsewhere")
    assert undo(REFUSED) == REFUSED
