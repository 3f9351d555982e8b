import json
import shutil
from unittest.mock import ANY, Mock, call

import pandas as pd
import pytest

from convscope.base import names, paths
from convscope.training import grid
from convscope.training.checkpoints import CHECKPOINT
from tests import toys
from tests.projects import contents
from tests.training.toy_runs import damage

pytestmark = pytest.mark.usefixtures("one_run")


def trained(wanted):
    """Complete a grid; the runs of which an observer was told an epoch."""
    observer = Mock()
    grid.complete(wanted, paths.DATASET, [observer])
    return {told.args[0] for told in observer.epoch.call_args_list}


def widths(*values, **changes):
    return [toys.run(l1_oc=width, **changes) for width in values]


def test_a_model_folder_holds_the_contracts_files(tmp_path):
    wanted = widths(4, 6)
    grid.complete(wanted, paths.DATASET)
    made = grid.assemble(wanted, tmp_path / "models/net1")
    history, best = made.history, made.best
    folder = tmp_path / "models/net1"
    per_run = ("run.json", "history.csv", "best.safetensors")
    expected = {f"runs/{run.id}/{name}" for run in wanted for name in per_run}
    assert set(contents(folder)) == expected | {"history.csv", "best.json"}
    assert history[["run", "epoch", "l1_oc"]].to_numpy().tolist() == [
        *[[1, 1, 4], [1, 2, 4]],
        *[[2, 1, 6], [2, 2, 6]],
    ]
    pd.testing.assert_frame_equal(pd.read_csv(folder / "history.csv"), history)
    assert tuple(history) == toys.HISTORY
    own = pd.read_csv(folder / "runs" / wanted[0].id / "history.csv")
    assert tuple(own) == toys.HISTORY[1:]
    top = history.loc[history["test_accuracy"].idxmax()]
    assert (best["run"], best["best"]["epoch"]) == (top["run"], top["epoch"])
    assert json.loads((folder / "best.json").read_text()) == best


@pytest.mark.usefixtures("warm_python")
def test_on_a_cluster_too_only_what_is_not_finished_is_trained(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setenv(names.CLUSTER, "local:1")
    assert trained(widths(4)) == {run.id for run in widths(4)}
    assert trained(widths(4, 6)) == {run.id for run in widths(6)}


def test_observers_are_told_everything_in_order():
    observer = Mock()
    (run,) = widths(4)
    grid.complete([run], paths.DATASET, [observer])
    assert observer.mock_calls == [
        call.run_started(run.id, ANY),
        call.epoch(run.id, ANY),
        call.epoch(run.id, ANY),
        call.run_finished(run.id),
    ]
    assert observer.run_started.call_args.args[1]["fingerprint"] == run.fingerprint
    assert [told.args[1]["epoch"] for told in observer.epoch.call_args_list] == [1, 2]


def test_finished_runs_are_reused_whatever_grid_they_are_in(tmp_path):
    grid.complete(widths(4, 6), paths.DATASET)
    wanted = widths(6, 8, 4)
    assert trained(wanted) == {wanted[1].id}
    history = grid.assemble(wanted, tmp_path / "models/net1").history
    assert history.groupby("run")["l1_oc"].first().tolist() == [6, 8, 4]


def test_of_a_run_that_another_finished_no_checkpoint_stays():
    (run,) = widths(4, epochs=1)
    grid.complete([run], paths.DATASET)
    left = grid.store_folder(run) / CHECKPOINT
    left.touch()
    assert trained([run]) == set()
    assert not left.exists()


def test_a_runs_bytes_do_not_depend_on_the_rest_of_the_grid():
    (run,) = widths(4)
    folder = grid.store_folder(run)
    grid.complete([run], paths.DATASET)
    alone = contents(folder)
    shutil.rmtree(folder)
    grid.complete(widths(8, 4), paths.DATASET)
    assert contents(folder) == alone


def test_the_best_run_is_the_earliest_of_equals(tmp_path):
    wanted = widths(4, 6, epochs=1)
    grid.complete(wanted, paths.DATASET)
    for each, accuracy in zip(wanted, (0.5, 0.5), strict=True):
        path = grid.store_folder(each) / paths.RUN
        content = json.loads(path.read_text())
        content["best"]["test_accuracy"] = accuracy
        path.write_text(json.dumps(content))
    best = grid.assemble(wanted, tmp_path / "models").best
    assert best["run"] == 1


@pytest.mark.parametrize("name", [paths.HISTORY, paths.WEIGHTS, paths.RUN])
@pytest.mark.parametrize("content", [b"{", b"{}", None])
def test_a_damaged_run_is_trained_again(name, content):
    (run,) = widths(4, epochs=1)
    grid.complete([run], paths.DATASET)
    folder = grid.store_folder(run)
    intact = contents(folder)
    damage(folder / name, content)
    assert trained([run]) == {run.id}
    assert contents(folder) == intact
