import contextlib
import os
import sys
import threading
import time

import pytest

from convscope.tracking import observer as observer_module
from convscope.tracking.finished import grid_fingerprint
from convscope.tracking.observer import live
from convscope.tracking.publishing import publish_stage

PARAMS = {"lr": [0.01, 0.1], "train": {"epochs": 3}}
FINGERPRINT = grid_fingerprint(["point-0.01", "point-0.1"])


def track(project):
    return live(project.root, "train@net1", PARAMS, FINGERPRINT)


def train(observer, project, lr, epochs=3):
    observer.run_started(f"lr={lr}", project.run_document(lr))
    for row in project.epochs(lr)[:epochs]:
        observer.epoch(f"lr={lr}", row)


def fail(project, error):
    with contextlib.suppress(type(error)), track(project) as observer:
        train(observer, project, 0.1, epochs=2)
        raise error


def wait_until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def nice(thread_id):
    return os.getpriority(os.PRIO_PROCESS, thread_id)


def test_live_then_publish_gives_one_parent_and_children_with_every_epoch_once(project):
    with track(project) as observer:
        for lr in project.points:
            train(observer, project, lr)
            observer.run_finished(f"lr={lr}")
    parent = project.run("train@net1")
    assert parent.info.status == "RUNNING"
    assert parent.data.params == {"lr": "[0.01, 0.1]", "train.epochs": "3"}
    point = project.run("lr=0.1")
    assert point.info.status == "FINISHED"
    project.assert_every_epoch_once(point, 0.1)
    published = publish_stage(project.root, "train@net1")
    assert (published.run_id, published.action) == (parent.info.run_id, "completed")
    assert project.run("train@net1").info.status == "FINISHED"
    assert project.children(parent) == ["lr=0.01", "lr=0.1"]
    project.assert_every_epoch_once(point, 0.1)


def test_runs_are_seen_while_the_grid_still_trains(project, monkeypatch):
    monkeypatch.setattr(observer_module, "WRITE_SECONDS", 0.02)
    with track(project) as observer:
        train(observer, project, 0.1, epochs=2)
        wait_until(lambda: any(run.data.metrics for run in project.runs("lr=0.1")))
        point = project.run("lr=0.1")
        assert point.info.status == "RUNNING"
        assert [step for step, _ in project.history(point, "loss")] == [1, 2]
        observer.epoch("lr=0.1", project.epochs(0.1)[2])
    assert [step for step, _ in project.history(point, "loss")] == [1, 2, 3]


def test_an_interrupted_attempt_is_adopted_by_the_next(project):
    fail(project, KeyboardInterrupt())
    (parent, point) = project.run("train@net1"), project.run("lr=0.1")
    assert (parent.info.status, point.info.status) == ("KILLED", "KILLED")
    with track(project) as observer:
        train(observer, project, 0.1)
    assert project.run("train@net1").info.run_id == parent.info.run_id
    assert project.run("train@net1").info.status == "RUNNING"
    assert project.run("lr=0.1").info.run_id == point.info.run_id
    assert [step for step, _ in project.history(point, "loss")] == [1, 2, 3]


def test_a_complete_grid_is_not_reopened(project):
    publish_stage(project.root, "train@net1")
    fail(project, ValueError())
    assert project.run("train@net1").info.status == "FINISHED"
    assert len(project.history(project.run("lr=0.1"), "loss")) == 3


@pytest.mark.usefixtures("mute")
def test_a_mute_server_neither_slows_the_grid_nor_is_warned_of_twice(project, capfd):
    start = time.monotonic()
    with track(project) as observer:
        train(observer, project, 0.1)
        assert time.monotonic() - start < 0.5
    publish_stage(project.root, "train@net1")
    assert time.monotonic() - start < 5
    (line,) = capfd.readouterr().err.splitlines()
    assert "train@net1: not tracked in MLflow" in line


@pytest.mark.usefixtures("mute")
def test_closing_waits_no_longer_than_its_limit(project, monkeypatch):
    monkeypatch.setattr(observer_module, "CLOSE_SECONDS", 0.1)
    start = time.monotonic()
    with track(project):
        pass
    assert time.monotonic() - start < 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")
def test_tracking_yields_processors_to_training(project):
    with track(project):
        (thread,) = (each for each in threading.enumerate() if each.name == "convscope-live")
        wait_until(lambda: nice(thread.native_id) == observer_module.YIELDING)
        assert nice(threading.get_native_id()) < observer_module.YIELDING
