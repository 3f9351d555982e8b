import contextlib
import multiprocessing
import os
import signal
import subprocess
import time

import pytest

from convscope.base import names, paths
from convscope.base.errors import UserError
from convscope.training import executor
from convscope.training.executor import Event, train_side_by_side
from tests import projects, toys, warm
from tests.projects import contents
from tests.waiting import wait_for

# a stage whose two runs never end; a process tells of its birth before it imports torch
STAGE = """
import os, sys, time
from pathlib import Path

if __name__ == "__mp_main__":
    os.write(1, b"born %d\\n" % os.getpid())  # in one piece
    time.sleep(1)

from convscope import cli
from convscope.training import executor
from tests import projects, toys


def endless(job):
    executor._Process.events.put(executor.Event(job[0].id))
    time.sleep(600)


def stage(*_):
    executor._work = endless
    jobs = [(toys.run(l1_oc=width), Path(str(width))) for width in (4, 6)]
    tell = lambda event: print(event.run_id, flush=True)
    executor.train_side_by_side(jobs, Path("data/dataset.safetensors"), tell)


if __name__ == "__main__":
    cli._run_stage = stage
    sys.exit(cli.main(["train", "net1"]))
"""


@pytest.fixture(autouse=True)
def _side_by_side(one_run, monkeypatch):
    monkeypatch.setenv(names.WORKERS, "2")
    return one_run


def jobs(folder, *widths, **changes):
    return [(toys.run(l1_oc=width, **changes), folder / str(width)) for width in widths]


def test_without_runs_not_even_the_data_set_is_read(tmp_path):
    train_side_by_side([], tmp_path / "missing", lambda _: pytest.fail("something happened"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_is_not_trained_on_another_data_set_than_it_names(workers, tmp_path, monkeypatch):
    monkeypatch.setenv(names.WORKERS, workers)
    wanted = jobs(tmp_path, 4, 6, data="of before")
    with pytest.raises(UserError, match=r"dataset\.safetensors was changed while the stage ran"):
        train_side_by_side(wanted, paths.DATASET, lambda _: None)
    assert contents(tmp_path / "4") == {}


def test_side_by_side_gives_the_same_bytes_and_the_same_events(tmp_path, monkeypatch):
    told = {}
    for workers in ("1", "2"):
        monkeypatch.setenv(names.WORKERS, workers)
        told[workers] = []
        train_side_by_side(jobs(tmp_path / workers, 4, 6), paths.DATASET, told[workers].append)
    assert contents(tmp_path / "2") == contents(tmp_path / "1")
    assert len(contents(tmp_path / "1")) == 6
    for run, _ in jobs(tmp_path, 4, 6):
        one, two = ([e for e in told[workers] if e.run_id == run.id] for workers in ("1", "2"))
        assert two == one
        what = [(event.row and event.row["epoch"], event.finished) for event in one]
        assert what == [(None, False), (1, False), (2, False), (None, True)]


def say_much(job):
    """Stands for a run that ends while much of what it said waits to be heard."""
    run, _ = job
    for epoch in range(1_000):
        executor._Process.events.put(Event(run.id, {"epoch": epoch, "loss": 0.5}))
    executor._Process.events.put(Event(run.id, finished=True))


def test_however_long_it_takes_to_hear_them_all_events_are_heard(tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "_work", say_much)
    told = []

    def tell(event):
        if not told:
            time.sleep(2 * executor.POLL_SECONDS)  # the runs end, and no pipe holds so much
        told.append(event)

    train_side_by_side(jobs(tmp_path, 4, 6), paths.DATASET, tell)
    assert (len(told), sum(event.finished for event in told)) == (2_002, 2)


def fail_or_go_on_and_on(job):
    """Stands for a run that fails beside one whose events never pause."""
    run, _ = job
    if run.point["l1_oc"] == 4:
        raise UserError("the loss is nan")
    for _ in range(60_000):
        executor._Process.events.put(Event(run.id))
        time.sleep(0.001)


def test_the_first_failure_ends_the_other_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "_work", fail_or_go_on_and_on)
    told = []
    with pytest.raises(UserError, match="the loss is nan"):
        train_side_by_side(jobs(tmp_path, 6, 4), paths.DATASET, told.append)
    assert multiprocessing.active_children() == []
    assert len(told) < 30_000


def test_a_data_set_that_a_process_cannot_load_is_a_user_error_and_no_traceback(tmp_path, capfd):
    with pytest.raises(UserError, match="is missing: run `convscope download`"):
        train_side_by_side(jobs(tmp_path, 4, 6), tmp_path / "missing", lambda _: None)
    assert "Traceback" not in capfd.readouterr().err


def kill_itself(job):  # noqa: ARG001
    """Stands for a process that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_a_user_error(tmp_path, monkeypatch):
    monkeypatch.setattr(executor, "_work", kill_itself)
    with pytest.raises(UserError, match=r"a training process was killed, .* CONVSCOPE_WORKERS=1"):
        train_side_by_side(jobs(tmp_path, 4, 6), paths.DATASET, lambda _: None)


@pytest.fixture
def stage(tmp_path):
    """A command that runs side by side without end, and its group, which ends with the test."""
    (tmp_path / "stage.py").write_text(STAGE)
    sources = os.pathsep.join([str(projects.ROOT), str(projects.ROOT / "src")])
    with subprocess.Popen(
        [warm.programs() / "python", "-m", "stage"],
        env={**os.environ, "PYTHONPATH": sources},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        group = wait_for(lambda: warm.process_of(process.pid), process)
        try:
            yield process, group
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def read_until(stream, *wanted):
    """Read lines until each of the words has been in one."""
    missing = set(wanted)
    for line in stream:
        missing -= {word for word in missing if word in line}
        if not missing:
            return
    pytest.fail(f"the output ended without {missing}")


def test_no_training_process_outlives_a_killed_parent(stage):
    process, number = stage
    read_until(process.stdout, "l1_oc4", "l1_oc6")
    os.kill(number, signal.SIGKILL)
    # the pipes end when the last process that holds them does
    process.communicate(timeout=60)


def test_an_interrupt_is_left_to_the_parent_which_ends_all_with_one_line(stage):
    process, group = stage
    word, newborn = process.stdout.readline().split()
    assert word == "born"
    os.kill(int(newborn), signal.SIGINT)
    read_until(process.stdout, "l1_oc4", "l1_oc6")
    os.killpg(group, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=60)
    assert errors == "convscope: interrupted; run the same command to go on\n"
    assert process.returncode == 130
