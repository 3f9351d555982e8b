import os
import signal
import tempfile
from pathlib import Path

import pytest

from convscope.base.errors import UserError
from convscope.comparison import clone
from convscope.comparison.clone import cloned


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def hang_up():
    """Sets what a hang-up does, and hangs up."""
    before = signal.getsignal(signal.SIGHUP)

    def set_up(handler):
        signal.signal(signal.SIGHUP, handler)
        return lambda: os.kill(os.getpid(), signal.SIGHUP)

    yield set_up
    signal.signal(signal.SIGHUP, before)


def test_a_hang_up_ends_a_comparison_and_leaves_no_clone(hang_up, temporary):
    hung_up = hang_up(signal.SIG_DFL)
    with pytest.raises(SystemExit) as ended, cloned():
        hung_up()
    assert ended.value.code == 128 + signal.SIGHUP
    assert not [*temporary.iterdir()]
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_an_old_git_is_told_to_be_too_old(monkeypatch):
    # which gives back the option that it does not know
    monkeypatch.setattr(clone, "git", lambda *_: "--path-format=absolute\n/a\n\n.git/objects")
    with pytest.raises(UserError, match=r"needs git 2\.31 or later"):
        clone.Clone(Path("nowhere"))


def test_under_nohup_it_goes_on(hang_up, temporary):
    hung_up = hang_up(signal.SIG_IGN)
    with cloned():
        hung_up()
        assert [*temporary.iterdir()]
