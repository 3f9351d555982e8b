import random

import pytest

from tests.torture.__main__ import Torture
from tests.torture.state import State, differences


@pytest.mark.pipeline
def test_three_kills_of_the_first_stage_change_nothing(tmp_path, capsys):
    torture = Torture(tmp_path, random.Random(1), target="download")
    assert torture.run(kills=3, deadline=float("inf")) == 0, capsys.readouterr().out
    assert torture.killed.total() == 3
    assert torture.finished >= 1


def test_every_kind_of_difference_is_told():
    calm = State({"a": {"x": "1"}}, {"x": "1", "y": "2"}, [("a", "FINISHED", None)], [], {"r": 1})
    other = State(
        {"a": {"x": "2"}}, {"x": "3", ".z.partial": ""}, [], [("a", "k", 0, 1.0)], {"r": 2}
    )
    assert list(differences(calm, calm)) == []
    *names, trained = (line.split(":")[0] for line in differences(calm, other))
    assert names == ["dvc.lock", ".z.partial", "x", "y", "MLflow", "MLflow"]
    assert trained == "run r was trained 2 times"
