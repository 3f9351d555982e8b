"""The choices in conf/, as DVC composes them, against what the stages accept."""

import pytest
from dvc.utils.hydra import compose_and_dump

from convscope.base.errors import UserError
from convscope.config import params_file
from convscope.nets import zoo
from tests import projects


def composed(path, *choices):
    """The file params.yaml as DVC composes it."""
    compose_and_dump(path, str(projects.ROOT / "conf"), None, "config", "", list(choices))
    return path


@pytest.mark.parametrize(
    "choice",
    [
        *("data=digits", "data=cifar10", "data=cifar100"),
        *("study=quick", "study=overnight", "study=published"),
    ],
)
def test_every_choice_composes_to_accepted_parameters(choice, tmp_path):
    params = params_file.load(composed(tmp_path / "params.yaml", choice))
    assert list(params.nets) == list(zoo.NETS)


def test_own_pictures_compose_with_their_folder_alone(tmp_path):
    choices = ("data=folder", f"data.path={tmp_path}")
    params = params_file.load(composed(tmp_path / "params.yaml", *choices))
    assert params.data.folder == tmp_path
    with pytest.raises(UserError, match=r"data\.path must name the folder"):
        params_file.load(composed(tmp_path / "params.yaml", "data=folder"))


def test_the_committed_parameters_are_the_composition_of_the_defaults(tmp_path):
    default = composed(tmp_path / "params.yaml")
    assert (projects.ROOT / "params.yaml").read_text() == default.read_text()
