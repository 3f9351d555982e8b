import errno
import re
import shutil
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from convscope.base import names
from convscope.base.paths import RUN_FILES
from convscope.training.checkpoints import CHECKPOINT
from convscope.training.cluster import driver
from convscope.training.executor import train_side_by_side
from tests import projects, toys
from tests.projects import contents
from tests.training import toy_runs
from tests.training.cluster.conftest import stop_all, until

LONG = 20  # epochs, of some hundredths of a second


def jobs(folder, *widths, **changes):
    return [(toys.run(l1_oc=width, **changes), Path(folder, str(width))) for width in widths]


def trained(where, monkeypatch, wanted, data, tell=lambda _: None):
    """Train on a cluster; what lies in the folders then."""
    monkeypatch.setenv(names.CLUSTER, getattr(where, "address", where))
    driver.train(wanted, data, tell)
    return contents(wanted[0][1].parent)


def here(wanted, data, monkeypatch):
    """Train in this process; what lies in the folders then."""
    monkeypatch.setenv(names.WORKERS, "1")
    train_side_by_side(wanted, data, lambda _: None)
    return contents(wanted[0][1].parent)


def apart(monkeypatch):
    """Let workers see no folder of this process."""
    packed = driver._packed

    def elsewhere(run, folder):
        pickled, _, begun = packed(run, folder)
        return pickled, Path("/nonexistent/runs", folder.name), begun

    monkeypatch.setattr(driver, "_packed", elsewhere)


@pytest.fixture(params=["a shared disk", "disks of their own"])
def _disks(request, monkeypatch):
    if request.param == "disks of their own":
        apart(monkeypatch)


@pytest.mark.usefixtures("_disks")
def test_two_workers_give_the_bytes_and_the_events_of_this_process(two, data, monkeypatch):
    told = []
    found = trained(two, monkeypatch, jobs("there", 4, 6, 8), data, told.append)
    assert found == here(jobs("here", 4, 6, 8), data, monkeypatch)
    for run, _ in jobs("", 4, 6, 8):
        mine = [event for event in told if event.run_id == run.id]
        what = [(event.row and event.row["epoch"], event.finished) for event in mine]
        assert what == [(None, False), (1, False), (2, False), (None, True)]
    assert [path for name in RUN_FILES for path in two.folder.rglob(name)] == []


def test_two_grids_at_once_do_not_meet(two, data, monkeypatch):
    monkeypatch.setenv(names.CLUSTER, two.address)
    told = {"one": [], "other": []}
    threads = [
        threading.Thread(target=driver.train, args=(jobs(name, 4, 6), data, told[name].append))
        for name in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(Path("one")) == contents(Path("other"))
    assert len(contents(Path("one"))) == 6
    assert len(told["one"]) == len(told["other"]) == 8


@pytest.mark.usefixtures("_disks")
def test_a_run_goes_on_after_its_last_epoch_and_leaves_no_checkpoint(two, data, monkeypatch):
    ((run, folder),) = jobs("there", 4, epochs=4)
    toy_runs.cut(run, 2, folder)
    told = []
    found = trained(two, monkeypatch, [(run, folder)], data, told.append)
    assert [event.row["epoch"] for event in told if event.row] == [3, 4]
    assert found == here(jobs("here", 4, epochs=4), data, monkeypatch)
    assert not (folder / CHECKPOINT).exists()


def test_runs_of_a_killed_worker_begin_again_elsewhere_and_no_epoch_is_told_twice(
    two, data, monkeypatch
):
    victim, told = two.worker(), []
    until(lambda: known_to(two) == 3)

    def kill(event):
        told.append(event)
        if event.row and event.row["epoch"] == 3 and victim.children():
            stop_all(victim)

    wanted = jobs("there", 4, 6, 8, 10, epochs=LONG)
    found = trained(two, monkeypatch, wanted, data, kill)
    assert victim.poll() is not None
    expected = here(jobs("here", 4, 6, 8, 10, epochs=LONG), data, monkeypatch)
    assert found.keys() == expected.keys()
    assert found == expected
    untold = []
    for run, _ in wanted:
        rows = [event.row["epoch"] for event in told if event.run_id == run.id and event.row]
        assert rows == sorted(set(rows))
        if lacking := sorted({*range(1, LONG + 1)} - {*rows}):
            untold.append(lacking)
    # on a shared disk those stay untold that the killed one kept and could not send any more
    assert len(untold) <= 1
    assert all(each == [*range(each[0], each[-1] + 1)] for each in untold)


def known_to(cluster):
    """How many workers a scheduler has."""
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        return len(client.nthreads())


class SeenEnoughError(Exception):
    pass


def test_a_worker_that_joins_late_helps(two, data, monkeypatch):
    late, started, helping = [], set(), []

    def call_for_help(event):
        started.add(event.run_id)
        if event.row and not late:
            late.append(two.worker())
        if event.row and len(started) == 3:  # the other two have one run each, without end
            helping.extend(late[0].children())
            raise SeenEnoughError

    with pytest.raises(SeenEnoughError):
        trained(two, monkeypatch, jobs("there", 4, 6, 8, epochs=6000), data, call_for_help)
    assert helping
    stop_all(late[0])


def test_a_late_worker_of_other_code_is_left_out_and_refused_at_the_next_start(
    two, data, tmp_path, monkeypatch, capfd
):
    changed = tmp_path / "src"
    shutil.copytree(projects.ROOT / "src", changed)
    source = changed / "convscope" / "training" / "trainer.py"
    source.write_text(source.read_text().replace("max(0.0, 100 *", "max(0.0, 100.5 *"))
    late, said, started, epochs_since = [], [""], set(), []

    def watch(event):
        if not late:
            late.append(two.worker(PYTHONPATH=str(changed)))
        said[0] += capfd.readouterr().err
        if said[0]:
            started.add(event.run_id)
            epochs_since.append(event.row)
        if len(epochs_since) == 100:  # a third run has had no place
            raise SeenEnoughError

    with pytest.raises(SeenEnoughError):
        trained(two, monkeypatch, jobs("there", 4, 6, 8, epochs=60_000), data, watch)
    assert len(started) <= 2
    other = (
        r"the worker tcp://127\.0\.0\.1:\d+ would compute other bits: its code is [0-9a-f]{12}, "
        rf"not {driver.runs.code()[:12]}: start it with the same, or leave it out"
    )
    assert re.fullmatch(rf"convscope: CONVSCOPE_CLUSTER: left out: {other}\n", said[0])
    assert re.fullmatch(other, toys.refusal(trained, two, monkeypatch, jobs("there", 4), data))
    stop_all(late[0])


def test_runs_go_on_when_the_only_worker_died_and_another_comes(lone, data, monkeypatch):
    first, others = lone.programs[1], []

    def replace(event):
        if event.row and not others:
            stop_all(first)
            others.append(lone.worker())

    found = trained(lone, monkeypatch, jobs("there", 4, 6, epochs=LONG), data, replace)
    assert found == here(jobs("here", 4, 6, epochs=LONG), data, monkeypatch)


def test_a_scheduler_that_is_killed_is_named_in_one_line(lone, data, monkeypatch):
    def kill(event):
        if event.row:
            lone.scheduler.kill()

    wanted = jobs("there", 4, 6, epochs=10 * LONG)
    said = toys.refusal(trained, lone, monkeypatch, wanted, data, kill)
    assert said == (
        f"{lone.address}: the scheduler is gone: start it and its workers, and run the stage "
        "again (finished runs are kept)"
    )


def interrupt(event):
    if event.row:
        raise KeyboardInterrupt


def test_an_interrupt_and_a_full_disk_end_what_runs_elsewhere(two, data, monkeypatch):
    def busy():
        living = [child for program in two.programs[1:] for child in program.children()]
        with suppress(psutil.NoSuchProcess):
            return [child for child in living if child.cpu_percent(0.2) > 1]
        return True

    with pytest.raises(KeyboardInterrupt):
        trained(two, monkeypatch, jobs("there", 4, epochs=100 * LONG), data, interrupt)
    until(lambda: not busy())

    def full(path, content):  # noqa: ARG001
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    apart(monkeypatch)
    monkeypatch.setattr(driver.files, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        trained(two, monkeypatch, [*jobs("full", 4), *jobs("full", 6, epochs=6000)], data)
    until(lambda: not busy())
    assert not Path("full/4/run.json").exists()


def test_a_run_that_fails_ends_the_grid_with_the_line_it_would_have_here(two, data, monkeypatch):
    wanted = jobs("there", 6, epochs=6000) + jobs("there", 4, lr=1e30)
    said = toys.refusal(trained, two, monkeypatch, wanted, data)
    assert said == toys.refusal(here, jobs("here", 4, lr=1e30), data, monkeypatch)


def test_a_training_process_that_is_killed_is_named_with_its_worker(two, data, monkeypatch):
    def kill(event):
        if event.row:
            for program in two.programs[1:]:
                for child in program.children():
                    child.kill()

    wanted = jobs("there", 4, epochs=6000)
    said = toys.refusal(trained, two, monkeypatch, wanted, data, kill)
    assert said.startswith("a training process of the worker tcp://127.0.0.1:")
    assert "was killed, perhaps because memory ran out" in said


def test_workers_of_other_code_or_torch_are_refused_by_name(two, data, monkeypatch):
    for what, module, name, value in [
        ("code", driver.runs, "code", lambda: "another"),
        ("torch", driver.torch, "__version__", "9.9"),
    ]:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, value)
            said = toys.refusal(trained, two, patched, jobs("there", 4), data)
        assert said.startswith("the worker tcp://127.0.0.1:")
        assert f"would compute other bits: its {what} is " in said
    assert not any(path.suffix == ".safetensors" for path in Path("there").rglob("*"))


def test_files_that_come_back_damaged_are_refused(two, data, monkeypatch):
    write = driver.files.write_bytes
    monkeypatch.setattr(
        driver.files, "write_bytes", lambda path, content: write(path, content[:-1] + b"!")
    )
    said = toys.refusal(trained, two, monkeypatch, jobs("there", 4), data)
    assert said.endswith("came back damaged from the cluster: run the stage again")


@pytest.mark.usefixtures("warm_python")
def test_local_trains_here_without_any_other_program(data, monkeypatch):
    found = trained("local:1", monkeypatch, jobs("there", 4, 6), data)
    assert found == here(jobs("here", 4, 6), data, monkeypatch)


@pytest.mark.parametrize("wrong", ["local:0", "local", "10.0.0.1:8786", "tcp://a b"])
def test_what_is_not_an_address_is_refused(wrong, monkeypatch):
    monkeypatch.setenv(names.CLUSTER, wrong)
    assert toys.refusal(driver.address).startswith(f"CONVSCOPE_CLUSTER={wrong}: set it to")


def test_where_no_scheduler_answers_that_is_said(data, monkeypatch):
    monkeypatch.setattr(driver, "CONNECT_SECONDS", 1.0)
    said = toys.refusal(trained, "tcp://127.0.0.1:9", monkeypatch, jobs("there", 4), data)
    assert "CONVSCOPE_CLUSTER=tcp://127.0.0.1:9: no scheduler answers (" in said


def test_without_dask_the_line_says_how_to_install_it(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = toys.refusal(trained, "local:1", monkeypatch, jobs("there", 4), data)
    assert said == ("CONVSCOPE_CLUSTER needs Dask: pip install -c constraints.txt -e '.[cluster]'")
