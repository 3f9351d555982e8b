import subprocess
import sys

import pytest

from convscope.base.errors import UserError
from convscope.training.cluster import worker
from tests import warm


def test_a_process_that_cannot_say_what_it_computes_by_is_ended(monkeypatch):
    started = []

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            started.append(self)

    monkeypatch.setattr(worker.subprocess, "Popen", Popen)
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2")
    with (
        pytest.raises(UserError, match="GLIBC_TUNABLES"),
        worker._child("tcp://here", "portable", 1),
    ):
        pytest.fail("it can")
    (process,) = started
    assert process.returncode is not None
    assert worker._idle["portable", 1] == []


def test_a_process_that_ended_while_it_was_idle_is_replaced(monkeypatch):
    monkeypatch.setattr(sys, "executable", str(warm.programs() / "python"))
    with worker._child("tcp://here", "portable", 1) as first:
        pass
    with worker._child("tcp://here", "portable", 1) as again:
        assert again is first
    first.process.kill()
    first.process.wait()
    with worker._child("tcp://here", "portable", 1) as second:
        assert second is not first
        assert second.description == first.description
        second.process.kill()
    worker._idle.clear()
