import copy
from pathlib import Path

import pytest
from tests import projects, toys

from convscope.base import files
from convscope.stages import after

BEST = "net,test_accuracy,low,high\nnet1,0.975,0.95,0.99\nnet2,0.5,0.4,0.6\n"
PARAMS = {"train": {"seeds": [0]}, "nets": {"net1": {"l1_oc": [4, 6]}}}


@pytest.fixture(autouse=True)
def _finished(here):
    projects.Project(here).write_params(PARAMS)
    files.write_text(after.BEST, BEST)
    metrics(claim_01_a="holds", ablated=0.25)


def metrics(ablated, **verdicts):
    files.write_json(Path("reports/metrics.json"), {"claims_held": len(verdicts), **verdicts})
    files.write_json(Path("reports/filter-ablation/metrics.json"), {"accuracy_after": ablated})
    files.write_json(Path("reports/train/net1/metrics.json"), {"epoch": 8})


def test_the_first_time_there_are_accuracies_and_places(monkeypatch):
    files.write_text(Path("reports/report.html"), "")
    monkeypatch.setattr("sys.platform", "linux")
    assert after.summary() == [
        "network   test accuracy  95 % (test images)",
        "net1      97.50 %        95.00 to 99.00 %",
        "net2      50.00 %        40.00 to 60.00 %",
        "",
        "the next `make repro` says here what has changed since this one",
        "",
        "xdg-open reports/report.html  every table, figure and claim",
        "make ui                       the runs, compared in MLflow",
    ]


def test_the_second_time_what_has_changed_is_said(here):
    after.summary()
    files.write_text(after.BEST, BEST.replace("net1,0.975", "net1,0.98") + "net3,0.5,0.4,0.6\n")
    params = copy.deepcopy(PARAMS)
    params["nets"]["net1"]["l1_oc"] = [8]
    projects.Project(here).write_params(params)
    metrics(claim_01_a="does not hold", ablated=0.2)
    lines = after.summary()
    assert lines[:4] == [
        "network   test accuracy  95 % (test images)  the last time",
        "net1      98.00 %        95.00 to 99.00 %    97.50 %: +0.50 points",
        "net2      50.00 %        40.00 to 60.00 %    the same",
        "net3      50.00 %        40.00 to 60.00 %    none",
    ]
    assert lines[5:9] == [
        "changed since the last `make repro`:",
        "  nets.net1.l1_oc: [4, 6] -> [8]",
        "  claim_01_a: holds -> does not hold",
        "  filter-ablation: accuracy_after: 0.25 -> 0.2",
    ]
    assert "no parameter and no result has changed since the last `make repro`" in after.summary()


def test_many_changes_are_counted():
    after.summary()
    metrics(0.25, **{f"claim_{n:02}_a": "holds" for n in range(1, 15)})
    lines = after.summary()
    assert "  claim_02_a: none -> holds" in lines
    assert "  and 5 more (reports/report.html; `dvc metrics diff`)" in lines


@pytest.mark.parametrize("damage", ["", "[", "[]", '{"other": 1}', "null"])
def test_a_damaged_last_time_is_none(damage):
    after.LAST.parent.mkdir()
    after.LAST.write_text(damage)
    assert "the next `make repro` says here what has changed since this one" in after.summary()


def test_where_nothing_was_tested_there_is_no_table():
    after.BEST.unlink()
    assert after.summary()[0] == ""


@pytest.mark.parametrize("content", ["train:\n\tseeds: 1\n", "- a list\n"])
def test_parameters_that_cannot_be_read_are_named(content):
    files.write_text(Path("params.yaml"), content)
    assert toys.refusal(after.summary).startswith("params.yaml ")


@pytest.mark.parametrize("row", ["net1,0.975,0.95", "net1,high,0.9,1"])
def test_a_damaged_table_is_named(row):
    files.write_text(after.BEST, f"net,test_accuracy,low,high\n{row}\n")
    message = toys.refusal(after.summary)
    assert message.startswith("reports/evaluate/best.csv is damaged")
    assert "run `convscope evaluate`" in message
