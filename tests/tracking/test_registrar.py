import contextlib
from pathlib import Path

import pytest
from tests.tracking.study import NAME
from tests.waiting import wait_for

from convscope.tracking import models, registrar
from convscope.tracking.tracker import Tracker


@pytest.mark.pipeline
@pytest.mark.usefixtures("warm_python")
def test_a_stage_does_not_wait_for_the_registrar_which_outlives_it(bare, capfd):
    bare.evaluate()
    with contextlib.chdir(bare.root), Tracker(Path(), models.STAGE) as tracker:
        assert tracker.publish().action == "created"
    assert bare.versions() == []
    wait_for(lambda: models._aliases(bare.client, NAME))
    assert (bare.best(), len(bare.versions())) == (1, 1)
    assert capfd.readouterr() == ("", "")
    assert (bare.root / registrar.LOG).read_text() == ""
