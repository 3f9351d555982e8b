import copy
import shutil
from itertools import product

import pytest
from tests import projects
from tests.stages import pipelines

from convscope.base import files, paths
from convscope.base.timings import COLUMNS, TIMINGS
from convscope.stages import before

HEAVY = {"torch", "mlflow", "pandas", "numpy", "pydantic", "matplotlib", "dvc", "ruamel.yaml"}


@pytest.fixture(autouse=True)
def _settled(here):  # noqa: ARG001
    pipelines.write()
    for width, kernel in product((4, 6), (3, 5)):
        settings = {"epochs": 8, "augment": None, "select_on": "test", "kernels": "portable"}
        document = {
            "net": "net1",
            "point": {"l1_oc": width, "kernel_size": float(kernel), "seed": 0},
            "settings": settings | {"precision": None, "threads": None},
        }
        files.write_json(paths.KEPT_RUNS / f"{width}{kernel}" / paths.RUN, document)
    files.write_text(paths.KEPT_RUNS / "damaged" / paths.RUN, "{")


def took(*rows):
    """Leave earlier times, (stage, run, seconds) each."""
    lines = [",".join(COLUMNS), *(f"{stage},{run},f,{seconds},cpu" for stage, run, seconds in rows)]
    TIMINGS.parent.mkdir(exist_ok=True)
    TIMINGS.write_text("\n".join(lines) + "\n")


EARLIER = [
    ("download", "", 1),
    *(("train@net1", f"run{n}", 50) for n in range(4)),
    ("train@net1", "", 100),
    ("occlusion", "", 600),
    ("train@net1", "", 4),  # all of its runs were kept
    ("occlusion", "", 10),
]


def changed(**grid):
    params = copy.deepcopy(pipelines.PARAMS)
    params["nets"]["net1"] |= grid
    pipelines.params(params)
    return before.announcement()


def test_nothing_to_do_is_one_line():
    assert before.announcement() == [before.NOTHING]


def test_what_runs_and_why_is_said():
    assert changed(l1_oc=[4, 6, 8])[:3] == [
        "2 of 3 stages to run",
        "  train@net1: nets.net1 changed",
        "  occlusion: reads what may change",
    ]


@pytest.mark.parametrize(
    ("grid", "shown"),
    [
        # 4 + 10 s, and 14 to start; a run of 8 epochs takes (100 - 4) / 4 = 24 s
        ({"l1_oc": [4]}, "about 30 s"),
        ({"l1_oc": [4, 6, 8]}, "about 80 s"),  # two runs
        ({"epochs": 16}, "about 4 min"),  # four of twice the length: 192 s
        ({"l1_oc": [*range(4, 400)]}, "about 5.3 h"),
    ],
)
def test_the_time_is_that_of_runs_that_are_not_there_yet(grid, shown):
    took(*EARLIER)
    assert changed(**grid)[-1].startswith(f"{shown}, going by logs/timings.csv; less where")


def test_runs_that_are_no_longer_kept_are_counted():
    took(*EARLIER)
    shutil.rmtree(paths.KEPT_RUNS)
    pipelines.params({**pipelines.PARAMS, "analysis": {"net": "net1", "threads": 1}})
    assert before.announcement()[-1].startswith("about 20 s")  # occlusion alone
    assert changed(l1_oc=[4])[-1].startswith("about 80 s")  # two runs


def test_without_earlier_times_or_of_other_data_measured_ones_are_named():
    assert changed(epochs=9)[-1] == before.UNKNOWN
    took(*EARLIER)
    pipelines.params({**pipelines.PARAMS, "data": {"source": "cifar10"}})
    assert before.announcement()[-1] == before.UNKNOWN


@pytest.mark.parametrize(
    "wrong", [{"lr": 0.01}, {"seeds": 5}, {"epochs": "many"}], ids=lambda wrong: next(iter(wrong))
)
def test_a_parameter_of_the_wrong_kind_is_left_to_its_stage(wrong):
    took(*EARLIER)
    assert changed(**wrong) == [
        "2 of 3 stages to run",
        "  train@net1: nets.net1 changed",
        "  occlusion: reads what may change",
        before.UNKNOWN,
    ]


def test_a_damaged_log_is_read_as_far_as_it_goes():
    took(*EARLIER)
    TIMINGS.write_text(TIMINGS.read_text() + "train@net1,,f\nnan,,f,nan,cpu\n\0,")
    assert changed(l1_oc=[4])[-1].startswith("about 30 s")


def test_files_that_cannot_be_read_are_left_to_dvc():
    for path in ("dvc.yaml", "params.yaml"):
        pipelines.write()
        with open(path, "a") as stream:  # noqa: PTH123
            stream.write("\n[")
        assert before.announcement() == []


@pytest.mark.parametrize("command", ["before", "after"])
def test_nothing_heavy_is_imported(command, here):
    (here / ".git").mkdir()
    done = projects.python("-X", "importtime", "-m", "convscope.cli", command)
    assert done.returncode == 0, done.stderr
    imported = {line.split()[-1] for line in done.stderr.splitlines() if "import time" in line}
    assert "yaml" in imported
    assert not HEAVY & imported
