import pytest

from convscope.base import timings

pytestmark = pytest.mark.usefixtures("here")


def start(observer, run_id):
    observer.run_started(run_id, {"fingerprint": f"hash-{run_id}"})


def test_lines_are_added_below_one_header():
    timings.record("train@net1", "a", "f1", 1.25, "cpu")
    timings.record("evaluate", "", "f2", 0.0004, "cuda")
    assert timings.TIMINGS.read_text() == (
        "stage,run,fingerprint,seconds,device\ntrain@net1,a,f1,1.250,cpu\nevaluate,,f2,0.000,cuda\n"
    )


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
    assert timings.TIMINGS.read_text().splitlines()[1:] == [
        "train@net1,b,hash-b,4.000,cpu",
        "train@net1,a,hash-a,7.000,cpu",
    ]
