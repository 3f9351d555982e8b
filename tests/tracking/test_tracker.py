import contextlib
import multiprocessing
import os
import signal
import sys
import time
from functools import partial
from unittest.mock import Mock

import pytest
from tests import projects, toys
from tests.tracking.conftest import MUTE_SECONDS
from tests.waiting import wait_for

from convscope.tracking import observer as observer_module
from convscope.tracking import server, service
from convscope.tracking import tracker as tracker_module
from convscope.tracking.publishing import publish, publish_stages
from convscope.tracking.records import grid_fingerprint
from convscope.tracking.tracker import Tracker

PARAMS = {"lr": [0.01, 0.1], "train": {"epochs": 3}}
FINGERPRINT = grid_fingerprint(["point-0.01", "point-0.1"])


@contextlib.contextmanager
def live(project):
    with Tracker(project.root, "train@net1") as tracker, tracker.live(PARAMS, FINGERPRINT) as each:
        yield each


def publish_one(project):
    with Tracker(project.root, "occlusion") as tracker:
        return tracker.publish()


def train(observer, project, lr, epochs=3):
    observer.run_started(f"lr={lr}", project.run_document(lr))
    for row in project.epochs(lr)[:epochs]:
        observer.epoch(f"lr={lr}", row)


def fail(project, error):
    with contextlib.suppress(type(error)), live(project) as observer:
        train(observer, project, 0.1, epochs=2)
        raise error


wait_until = partial(wait_for, seconds=30)


def test_live_then_publish_gives_one_parent_and_children_with_every_epoch_once(project):
    with Tracker(project.root, "train@net1") as tracker:
        with tracker.live(PARAMS, FINGERPRINT) as observer:
            for lr in project.points:
                train(observer, project, lr)
                observer.run_finished(f"lr={lr}")
        wait_until(lambda: any(run.info.status == "FINISHED" for run in project.runs("lr=0.1")))
        parent = project.run("train@net1")
        assert parent.info.status == "RUNNING"
        assert parent.data.params == {"lr": "[0.01, 0.1]", "train.epochs": "3"}
        point = project.run("lr=0.1")
        assert point.info.status == "FINISHED"
        project.assert_every_epoch_once(point, 0.1)
        published = tracker.publish()
    assert (published.run_id, published.action) == (parent.info.run_id, "completed")
    assert project.run("train@net1").info.status == "FINISHED"
    assert project.children(parent) == ["lr=0.01", "lr=0.1"]
    project.assert_every_epoch_once(point, 0.1)


def test_what_is_still_to_be_written_when_the_stage_ends_is_published_and_no_failure(
    project, capfd
):
    with Tracker(project.root, "train@net1") as tracker:
        write = tracker._ask
        with tracker.live(PARAMS, FINGERPRINT) as observer:
            train(observer, project, 0.1)
        assert tracker.publish().action in ("created", "completed")
    write(None, "write", None, [])  # as by the observer's thread
    assert capfd.readouterr().err == ""
    project.assert_every_epoch_once(project.run("lr=0.1"), 0.1)


def test_runs_are_seen_while_the_grid_still_trains(project, monkeypatch):
    monkeypatch.setattr(observer_module, "WRITE_SECONDS", 0.02)
    with live(project) as observer:
        train(observer, project, 0.1, epochs=2)
        wait_until(lambda: any(run.data.metrics for run in project.runs("lr=0.1")))
        point = project.run("lr=0.1")
        assert point.info.status == "RUNNING"
        assert [step for step, _ in project.history(point, "epoch/loss")] == [1, 2]
        observer.epoch("lr=0.1", project.epochs(0.1)[2])
        wait_until(lambda: len(project.history(point, "epoch/loss")) == 3)
    assert [step for step, _ in project.history(point, "epoch/loss")] == [1, 2, 3]


def test_a_reused_point_is_left_to_publishing_which_knows_when_it_was_trained(project):
    with Tracker(project.root, "train@net1") as tracker:
        with tracker.live(PARAMS, FINGERPRINT) as observer:
            observer.run_started("lr=0.01", project.run_document(0.01))
            observer.run_finished("lr=0.01")
            train(observer, project, 0.1, epochs=1)
        wait_until(lambda: project.runs("lr=0.1"))
        assert project.runs("lr=0.01") == []
        assert tracker.publish().action == "completed"
    assert project.run("lr=0.01").info.status == "FINISHED"


def test_an_interrupted_attempt_is_adopted_by_the_next(project):
    fail(project, KeyboardInterrupt())
    (parent, point) = project.run("train@net1"), project.run("lr=0.1")
    assert (parent.info.status, point.info.status) == ("KILLED", "KILLED")
    with Tracker(project.root, "train@net1") as tracker:
        with tracker.live(PARAMS, FINGERPRINT) as observer:
            train(observer, project, 0.1)
        wait_until(lambda: len(project.history(point, "epoch/loss")) == 3)
    assert project.run("train@net1").info.run_id == parent.info.run_id
    assert project.run("train@net1").info.status == "RUNNING"
    assert project.run("lr=0.1").info.run_id == point.info.run_id
    assert [step for step, _ in project.history(point, "epoch/loss")] == [1, 2, 3]


def test_a_complete_grid_is_not_reopened(project):
    publish_stages(project.root, ["train@net1"])
    fail(project, ValueError())
    assert project.run("train@net1").info.status == "FINISHED"
    assert len(project.history(project.run("lr=0.1"), "epoch/loss")) == 3


@pytest.mark.usefixtures("mute")
def test_a_mute_server_neither_slows_the_grid_nor_is_warned_of_twice(project, capfd):
    with Tracker(project.root, "train@net1") as tracker:
        start = time.monotonic()
        with tracker.live(PARAMS, FINGERPRINT) as observer:
            train(observer, project, 0.1)
            assert time.monotonic() - start < MUTE_SECONDS
        assert tracker.publish() is None
    (line,) = capfd.readouterr().err.splitlines()
    assert "train@net1: not tracked in MLflow" in line


@pytest.mark.usefixtures("mute")
def test_a_grid_that_fails_waits_no_longer_than_its_limit(project, monkeypatch):
    monkeypatch.setattr(observer_module, "CLOSE_SECONDS", 0.1)
    start = time.monotonic()
    fail(project, ValueError())
    assert time.monotonic() - start < MUTE_SECONDS


def test_publishing_to_a_closed_port_is_an_error(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", projects.NO_SERVER)
    assert "Connection refused" in toys.refusal(publish, project.root)


@pytest.mark.usefixtures("mute")
def test_a_server_that_never_answers_costs_one_timeout(project, capfd):
    with Tracker(project.root, "occlusion") as tracker:
        began = time.monotonic()
        assert tracker.publish() is None
        assert MUTE_SECONDS <= time.monotonic() - began < 2 * MUTE_SECONDS
    assert capfd.readouterr().err.count("timed out") == 1


def test_a_stage_does_not_wait_for_another_process_for_ever(project, monkeypatch, capfd):
    monkeypatch.setattr(server, "LOCK_SECONDS", 0.1)
    with server.publish_lock(project.root):
        assert publish_one(project) is None
    assert "publish.lock" in capfd.readouterr().err


def test_a_process_that_hangs_is_given_up_and_ended(project, monkeypatch, capfd):
    monkeypatch.setattr(tracker_module, "STAGE_SECONDS", 0.2)
    with Tracker(project.root, "occlusion") as tracker:
        os.kill(tracker._process.pid, signal.SIGSTOP)
        assert tracker.publish() is None
        os.kill(tracker._process.pid, signal.SIGCONT)
    assert "(no answer within 0.2 seconds)" in capfd.readouterr().err
    with pytest.raises(ProcessLookupError):
        os.kill(tracker._process.pid, 0)


def test_a_process_that_was_killed_is_a_warning(project, capfd):
    with Tracker(project.root, "occlusion") as tracker:
        os.kill(tracker._process.pid, signal.SIGKILL)
        assert tracker.publish() is None
    assert "(the process that tracks has been killed)" in capfd.readouterr().err


def test_a_process_that_cannot_be_started_is_a_warning_and_no_more(project, monkeypatch, capfd):
    def refuse(*_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert publish_one(project) is None
    (line,) = capfd.readouterr().err.splitlines()
    assert "Resource temporarily unavailable" in line


def test_without_mlflow_a_stage_has_one_warning(project, monkeypatch, capfd):
    absent = Mock(side_effect=ModuleNotFoundError("No module named 'mlflow'"))
    monkeypatch.setattr(server, "import_mlflow", absent)
    monkeypatch.setattr(service, "import_mlflow", absent)
    with Tracker(project.root, "occlusion") as tracker:
        tracker.prepare()
        assert tracker.publish() is None
    (line,) = capfd.readouterr().err.splitlines()
    assert "(No module named 'mlflow')" in line


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no niceness here")
def test_tracking_yields_processors_and_never_sees_an_interrupt(project, capfd):
    with Tracker(project.root, "occlusion") as tracker:
        number, mine = tracker._process.pid, os.getpriority(os.PRIO_PROCESS, 0)
        lower = min(mine + tracker_module.NICENESS, 19)
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, number) == lower)
        assert os.getpriority(os.PRIO_PROCESS, 0) == mine
        os.kill(number, signal.SIGINT)
        assert tracker.publish().action == "created"
    assert capfd.readouterr() == ("", "")


def killed_while_training(project, said):
    """A stage's process, with a group of its own."""
    os.setsid()
    observer_module.WRITE_SECONDS = 0.05
    with live(project) as observer:
        train(observer, project, 0.1, epochs=1)
        said.send("training")
        signal.pause()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_stage_that_is_killed_with_its_group_leaves_no_run_that_seems_to_train(sent, project):
    hears, says = multiprocessing.Pipe(duplex=False)
    forks = multiprocessing.get_context("fork")
    stage = forks.Process(target=killed_while_training, args=(project, says))
    stage.start()
    says.close()
    assert hears.recv() == "training"
    wait_until(lambda: any(run.data.metrics for run in project.runs("lr=0.1")))
    # all of a container's processes are sent SIGTERM; no process can keep SIGKILL off
    os.killpg(stage.pid, sent) if sent == signal.SIGTERM else os.kill(stage.pid, sent)
    stage.join()
    for name in ("lr=0.1", "train@net1"):
        wait_until(lambda name=name: project.run(name).info.status == "KILLED")
