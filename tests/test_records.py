"""A record says what happened: inputs that change under a stage, and another folder's code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convscope import cli
from convscope.base import paths
from convscope.config import params_file
from convscope.data import datasets
from convscope.tracking.tracker import Tracker
from convscope.training import grid, plan
from convscope.training.checkpoints import CHECKPOINT
from tests import projects, toys
from tests.training.toy_runs import cut


@pytest.fixture
def during(one_run, empty_store, monkeypatch):
    """A function that runs training of net1 while something happens; its exit code."""
    shutil.copyfile(empty_store, one_run / "mlflow.db")
    complete = grid.complete

    def train(happens):
        def completed(*arguments):
            complete(*arguments)
            happens()

        with monkeypatch.context() as patch:
            patch.setattr(grid, "complete", completed)
            return cli.main(["train", "net1"])

    monkeypatch.setattr(Tracker, "publish", lambda _: None)
    return train


def rewrite_params(section, **changes):
    params = projects.one_run()
    (params["nets"] if section in params["nets"] else params)[section].update(changes)
    projects.Project(Path()).write_params(params)


@pytest.mark.parametrize(
    ("happens", "named"),
    [
        (lambda: rewrite_params("net1", epochs=60), "params.yaml: nets.net1"),
        (lambda: rewrite_params("train", seeds=[1]), "params.yaml: train"),
        (lambda: datasets.save(toys.red_or_blue(50), paths.DATASET), "data/dataset.safetensors"),
        (paths.PARAMS.unlink, "params.yaml is missing"),
    ],
    ids=["grid", "shared", "data", "none"],
)
def test_what_was_changed_while_a_stage_trained_is_named_and_nothing_recorded(
    happens, named, during, capsys
):
    assert during(happens) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert named in line
    assert not Path("reports/train/net1").exists()
    assert not Path("models/net1").exists()

    # the finished run is of what it names, and kept
    projects.Project(Path()).write_params(projects.one_run())
    datasets.save(toys.red_or_blue(), paths.DATASET)
    weights = projects.contents(paths.KEPT_RUNS)
    assert cli.main(["train", "net1"]) == 0
    assert projects.contents(paths.KEPT_RUNS) == weights


def test_what_a_stage_does_not_use_may_change(during):
    assert during(lambda: rewrite_params("occlusion", seed=7)) == 0
    assert Path("models/net1/best.json").is_file()


def test_a_stage_that_goes_on_from_a_checkpoint_is_recorded(during):
    projects.Project(Path()).write_params(projects.one_run(epochs=2))
    (run,) = plan.runs(params_file.load(), "net1", datasets.load(paths.DATASET))
    cut(run, 1, grid.store_folder(run), toys.red_or_blue())
    assert during(lambda: None) == 0
    assert not (grid.store_folder(run) / CHECKPOINT).exists()


def test_a_second_checkout_runs_its_own_code(here):
    (here / "params.yaml").write_text("{}")
    shutil.copytree(projects.ROOT / "src/convscope", here / "src/convscope")
    source = here / "src/convscope/cli.py"
    source.write_text(source.read_text().replace('"make the data set"', '"of the second"'))
    installed = {**os.environ, "PYTHONPATH": str(projects.ROOT / "src")}
    start = [sys.executable, "-c", "from convscope.cli import program; program()", "--help"]
    for folder, said in ((here, True), (projects.ROOT, False)):
        shown = subprocess.check_output(start, cwd=folder, env=installed, text=True)
        assert ("of the second" in shown) == said

    # where Python is told to prefer what is installed
    isolated = {**os.environ, "PYTHONPATH": str(here / "src")}
    start[1:1] = ["-I"]
    start[3] = f"import sys; sys.path.insert(0, {str(projects.ROOT / 'src')!r}); {start[3]}"
    refused = subprocess.run(
        start, cwd=here, env=isolated, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("convscope: src/convscope is not what runs, but ")
