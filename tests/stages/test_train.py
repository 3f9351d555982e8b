from unittest.mock import Mock

import pytest
from tests import projects, toys

from convscope.base import names
from convscope.config import params_file
from convscope.stages import train


@pytest.mark.parametrize("name", [names.WORKERS, names.CUDA_GRAPHS, names.DEVICE])
def test_a_wrong_setting_ends_the_stage_before_anything_begins(name, monkeypatch):
    params = params_file.load(projects.ROOT / "params.yaml")
    monkeypatch.setattr(train.params_file, "load", lambda: params)
    monkeypatch.setattr(train.datasets, "load", lambda _: pytest.fail("it began"))
    monkeypatch.setenv(name, "many")
    assert f"{name}=many: set it to" in toys.refusal(train.run, "net1", Mock())
