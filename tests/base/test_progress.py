import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import time

import pytest

from convscope.base import progress


def on_terminal(monkeypatch):
    """Make standard error a terminal; pytest sets it anew after fixtures, so no fixture can."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def grid(runs, epochs, started=(), reused=()):
    """The progress of a grid, some of whose runs were reused and some started."""
    following = progress.GridProgress("train@net1", runs, epochs)
    for run_id in (*reused, *started):
        following.run_started(run_id, {})
        if run_id in reused:
            following.run_finished(run_id)
    return following


def epoch(following, run_id, number, accuracy=0.5):
    following.epoch(run_id, {"epoch": number, "test_accuracy": accuracy})


def test_a_log_gets_a_line_a_minute_at_most(clock, capsys):
    following = grid(runs=2, epochs=4, started="a")
    clock.now += 60
    epoch(following, "a", 1, 0.75)
    assert capsys.readouterr().err == ""
    clock.now += 2
    epoch(following, "a", 2, 0.5)
    assert capsys.readouterr().err == (
        "train@net1: run 1 of 2, epoch 2 of 4: "
        "test accuracy 0.5000 (best 0.7500), about 186 s left\n"
    )
    clock.now += 60
    epoch(following, "a", 3)
    following.run_finished("a")
    following.close()
    assert capsys.readouterr().err == ""


def test_where_held_out_images_select_their_accuracy_is_shown(clock, capsys):
    following = grid(runs=1, epochs=2, started="a")
    for number, (test, validation) in enumerate([(0.9, 0.25), (0.5, 0.125)], 1):
        clock.now += 80
        row = {"epoch": number, "test_accuracy": test, "validation_accuracy": validation}
        following.epoch("a", row)
    assert "validation accuracy 0.1250 (best 0.2500)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("following", "trained", "left"),
    [
        ({"runs": 3, "epochs": 4, "reused": "ab", "started": "c"}, {"c": (80, 1)}, "240"),
        ({"runs": 1, "epochs": 10, "started": "a"}, {"a": (80, 8)}, "160"),
        ({"runs": 2, "epochs": 4, "started": "ab"}, {"b": (40, 1), "a": (40, 1)}, "240"),
    ],
    ids=["reused runs", "epochs before an interruption", "runs at the same time"],
)
def test_the_time_left_is_estimated_from_trained_epochs(following, trained, left, clock, capsys):
    following = grid(**following)
    for run_id, (seconds, number) in trained.items():
        clock.now += seconds
        epoch(following, run_id, number)
    assert re.findall(r"about (\d+) s left", capsys.readouterr().err) == [left]


def test_a_terminal_gets_a_bar_that_counts_every_epoch(monkeypatch):
    terminal = on_terminal(monkeypatch)
    following = grid(runs=3, epochs=2, reused=["reused"], started="ab")
    for run_id, number in (("a", 1), ("b", 1), ("b", 2), ("a", 2)):
        epoch(following, run_id, number, accuracy=number / 4)
        if number == 2:
            following.run_finished(run_id)
    following.close()
    written = terminal.getvalue()
    assert re.findall(r"train@net1: (run . of 3, \w+: .*)\n", written) == [
        "run 1 of 3, reused: kept from an earlier attempt",
        "run 3 of 3, b: test accuracy 0.5000",
        "run 2 of 3, a: test accuracy 0.5000",
    ]
    counts = dict.fromkeys(re.findall(r" (\d+)/\d+ \[", written))
    assert list(counts) == ["0", "2", "3", "4", "5", "6"]
    last = written.split("\r")[-1]
    assert last.startswith("train@net1: 100%")
    assert "run 2 of 3, epoch 2 of 2: test accuracy 0.5000 (best 0.5000)" in last


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (0, "75 %, 0 left, train@net1: 3/4, run 1 of 1, epoch 3 of 4: test accuracy 0.6"),
        (40, "75 %, 0 left, train@net1: 3/4, run "),
        (80, "75 %, 0 left, train@net1: 3/4, run 1 of 1, epoch 3 of 4: test accuracy 0.60"),
        (200, "train@net1:  75%.* 3/4 .*: test accuracy 0.6000 .best 0.6000.]"),
    ],
)
def test_a_bar_shows_what_fits_a_terminal(columns, shown, monkeypatch):
    controller, terminal = pty.openpty()
    rows = 24 if columns else 0  # a terminal that nobody has told its size
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    with os.fdopen(terminal, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        following = grid(runs=1, epochs=4, started="a")
        for number in (1, 2, 3):
            time.sleep(0.15)
            epoch(following, "a", number, 0.6)
        following.close()
        written = b""
        while not written.endswith(b"\n"):  # a terminal hands on what was written piece by piece
            written += os.read(controller, 1 << 16)
    os.close(controller)
    text = written.decode()
    lines = [line for line in text.replace("\n", "\r").split("\r") if line.strip()]
    assert all(len(line) <= (columns or 80) for line in lines)
    assert re.match(shown, re.sub(r"\d\d:\d\d", "0", lines[-1])), lines


def test_the_bars_speed_is_that_of_trained_epochs(monkeypatch):
    terminal = on_terminal(monkeypatch)
    following = grid(runs=2, epochs=1000, reused=["reused"], started="a")
    for number in (1, 2):
        time.sleep(0.15)
        epoch(following, "a", number)
    following.close()
    speeds = re.findall(r"([\d.]+)epoch/s", terminal.getvalue())
    assert speeds
    assert max(map(float, speeds)) < 20


@pytest.mark.parametrize(
    ("total", "shown"),
    [(3000, "cifar.tar.gz: 100%.* 3.00k/3.00k "), (None, "cifar.tar.gz: 3.00kB ")],
)
def test_a_download_is_shown_by_its_files_name(total, shown, monkeypatch):
    terminal = on_terminal(monkeypatch)
    tell = progress.download_bar()
    for done in (0, 500, 3000):
        tell("https://example.org/files/cifar.tar.gz?download=1", done, total)
        time.sleep(0.15)
    assert re.match(shown, terminal.getvalue().rstrip().split("\r")[-1])


def test_a_counter_disappears_when_it_is_done(monkeypatch):
    terminal = on_terminal(monkeypatch)
    tell = progress.counter("occlusion", "image")
    for done in (1, 2, 3):
        tell(done, 3)
    written = terminal.getvalue()
    assert "occlusion:" in written
    assert written.endswith(" \r")


def test_a_counter_tells_a_log_at_most_once_a_minute(clock, capsys):
    tell = progress.counter("atlas", "image x filter")
    written = []
    for done, seconds in ((1000, 59), (2000, 2), (3000, 59), (4000, 2), (8000, 240)):
        clock.now += seconds
        tell(done, 8000)
        written.append(capsys.readouterr().err)
    assert written == [
        "",
        "atlas: 2,000/8,000 image x filter, about 183 s left\n",
        "",
        "atlas: 4,000/8,000 image x filter, about 122 s left\n",
        "",
    ]


def test_a_counter_without_a_step_done_knows_no_time(clock, capsys):
    tell = progress.counter("occlusion", "window size")
    clock.now += 60
    tell(0, 5)
    assert capsys.readouterr().err == ""


def test_short_work_shows_nothing_where_there_is_no_terminal(capsys):
    download, count = progress.download_bar(), progress.counter("occlusion", "image")
    for done in (0, 5, 10):
        download("https://example.org/a.tar.gz", done, 10)
        count(done, 10)
    assert capsys.readouterr() == ("", "")
