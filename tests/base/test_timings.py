import datetime

import pytest

from convscope.base import timings

pytestmark = pytest.mark.usefixtures("here")


def start(observer, run_id):
    observer.run_started(run_id, {"fingerprint": f"hash-{run_id}"})


def lines():
    """The log without its header and without when each run began."""
    return [row.rsplit(",", 1)[0] for row in timings.TIMINGS.read_text().splitlines()[1:]]


def test_lines_are_added_below_one_header():
    timings.record("train@net1", "a", "f1", 1.25, "cpu")
    timings.record("evaluate", "", "f2", 0.0004, "cuda")
    header = timings.TIMINGS.read_text().splitlines()[0]
    assert header == "stage,run,fingerprint,seconds,device,started"
    assert lines() == ["train@net1,a,f1,1.250,cpu", "evaluate,,f2,0.000,cuda"]


def test_a_line_says_when_its_run_began():
    timings.record("evaluate", "", "f", 3600, "cpu")
    (row,) = timings.read(timings.TIMINGS).to_dict("records")
    ago = datetime.datetime.now(datetime.UTC) - row["started"]
    assert 3600 <= ago.total_seconds() < 3700


def test_lines_of_an_earlier_version_and_lines_cut_short_do_not_say_when():
    timings.TIMINGS.parent.mkdir()
    header = "stage,run,fingerprint,seconds,device"
    timings.TIMINGS.write_text(f"{header}\nevaluate,,f1,2.5,cpu\n")
    timings.record("evaluate", "", "f2", 1, "cpu")
    with timings.TIMINGS.open("a") as log:
        log.write("evaluate,,f3,4.0,cpu,2026-11-29T01:0")
    rows = timings.read(timings.TIMINGS)
    assert rows["fingerprint"].tolist() == ["f1", "f2", "f3"]
    assert rows["seconds"].tolist() == [2.5, 1, 4]
    assert rows["started"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("ends", ["reused", "cut short"])
def test_a_run_that_was_not_trained_to_its_end_is_not_recorded(ends):
    observer = timings.Timings("train@net1", "cpu")
    start(observer, "a")
    if ends == "reused":
        observer.run_finished("a")
    else:
        observer.epoch("a", {"epoch": 1})
    assert not timings.TIMINGS.exists()


def test_runs_that_overlap_are_timed_each_from_start_to_finish(clock):
    observer = timings.Timings("train@net1", "cpu")
    start(observer, "a")
    clock.now += 1
    start(observer, "b")
    observer.epoch("b", {"epoch": 1})
    observer.epoch("a", {"epoch": 1})
    clock.now += 4
    observer.run_finished("b")
    clock.now += 2
    observer.run_finished("a")
    assert lines() == [
        "train@net1,b,hash-b,4.000,cpu",
        "train@net1,a,hash-a,7.000,cpu",
    ]
