import random
import sqlite3
import time

import psutil
import pytest

from convscope.base.files import digest, write_text
from convscope.training import processes
from tests.torture import state, victim
from tests.torture.__main__ import Torture


@pytest.mark.pipeline
def test_three_kills_of_the_first_stage_change_nothing(tmp_path, capsys):
    torture = Torture(tmp_path, random.Random(207), target="download")
    assert torture.run(kills=3, deadline=float("inf")) == 0, capsys.readouterr().out
    assert torture.killed.total() == 3
    assert torture.finished >= 1


def test_a_process_that_trains_is_told_from_the_one_that_it_came_from():
    started = processes.context().Process(target=time.sleep, args=(60,))
    started.start()
    trainer = psutil.Process(started.pid)
    try:
        assert victim.role(trainer) == "trainer"
        assert victim.role(trainer.parent()) == ""
    finally:
        trainer.kill()
        started.join()


def left(folder, out, files, run, metric, trainings):
    """The state of a project with such an output, files, rows in MLflow, and trainings of a run."""
    write_text(folder / "dvc.lock", f"stages: {{a: {{outs: [{{path: x, md5: {out}}}]}}}}")
    for name, text in files.items():
        write_text(folder / name, text)
    timings = ["stage,run,fingerprint,seconds,device", *["a,r,f,1,cpu"] * trainings, "a,,f,1,cpu"]
    write_text(folder / "logs/timings.csv", "\n".join(timings))
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.executescript(f"""
            create table runs (run_uuid, name, status, lifecycle_stage);
            create table tags (run_uuid, key, value);
            create table metrics (run_uuid, key, step, value);
            insert into runs values (1, 'n', '{run}', 'active'), (2, 'n', 'x', 'deleted');
            insert into metrics values (1, '{metric}', 0, 1.5);
        """)
    return state.read(folder)


def test_every_kind_of_difference_is_told(tmp_path):
    files = {"data/x": "1", "data/y": "2", "note": "3"}
    calm = left(tmp_path / "a", "aa", files, "FINISHED", "loss", 1)
    again = left(tmp_path / "b", "aa", files | {"note": "4"}, "FINISHED", "loss", 1)
    assert list(state.differences(calm, again)) == []
    others = {"data/x": "3", "note": "3", ".z.partial": ""}
    other = left(tmp_path / "c", "bb", others, "KILLED", "time/seconds", 2)
    assert list(state.differences(calm, other)) == [
        ".z.partial: is new",
        "MLflow metric ('n', 'loss', 0, 1.5): is missing",
        "MLflow run ('n', 'FINISHED', None): is missing",
        "MLflow run ('n', 'KILLED', None): is new",
        f"data/x: {digest(tmp_path / 'c/data/x')}, not {digest(tmp_path / 'a/data/x')}",
        "data/y: is missing",
        "dvc.lock: a: {'x': 'bb'}, not {'x': 'aa'}",
        "trained again: f: is new",
    ]
