import contextlib
import os
import signal
from pathlib import Path

import pytest
from tests.tracking.study import NAME
from tests.waiting import wait_for

from convscope.tracking import models, publishing, registrar, server
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


def test_it_can_be_told_to_end_though_the_tracker_that_starts_it_cannot(monkeypatch):
    found = []

    def publish(*_):
        found.append(signal.getsignal(signal.SIGTERM))
        found.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(server, "import_mlflow", lambda: None)
    monkeypatch.setattr(server, "import_store", lambda _: None)
    monkeypatch.setattr(publishing, "publish_stages", publish)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        registrar.main()
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert found[0] == signal.SIG_DFL
    assert signal.SIGINT not in found[1]
