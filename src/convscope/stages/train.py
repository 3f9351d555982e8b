"""baseline and train@netN: a grid of runs -> its model folder, its tables and curves."""

from contextlib import closing
from typing import Any

import pandas as pd

from convscope import figures
from convscope.base import inputs, machine, paths, runtime
from convscope.base.names import STUDY_MEASURED
from convscope.base.progress import GridProgress
from convscope.base.report_folder import MadeFrom, Report, reporting
from convscope.base.timings import Timings
from convscope.config import params_file
from convscope.data import datasets
from convscope.evaluation import history_tables
from convscope.nets import layer_table, zoo
from convscope.tracking.records import grid_fingerprint
from convscope.tracking.tracker import Tracker
from convscope.training import dvc_cache, grid, plan
from convscope.training.cluster import driver as cluster

# the last of grids whose images are augmented
HEADLINES = (
    *("epoch", "loss", "train_accuracy", "test_accuracy", "overfit_percent"),
    *STUDY_MEASURED,
)


def run(net: str, tracker: Tracker) -> None:
    """Train the grid of a network under ``nets`` in params.yaml; runs that exist are reused.

    The tracker follows the grid live.

    Raises:
        UserError: params.yaml has no such grid, or a run cannot be trained.
    """
    params = params_file.load()
    shared = params_file.need(params.train, "train")
    section, stage = plan.section(params, net), paths.stage_of(net)
    used = {
        "kernels": params_file.need(params.kernels, "kernels"),
        "train": shared.model_dump(mode="json"),
        "net": section.used(),
    }
    # a wrong setting ends the stage before anything begins
    cluster.address()
    runtime.workers(shared.threads)
    runtime.cuda_graphs(runtime.device())
    runs = plan.runs(params, net, datasets.load(paths.DATASET))

    dvc_cache.recall(runs, paths.models_of(net))
    identity = grid_fingerprint([run.fingerprint for run in runs])
    timings = Timings(stage, runtime.device().type)
    if not cluster.address():
        machine.warn_of_emulation(stage, shared.precision, runtime.device().type)
    with (
        closing(GridProgress(stage, len(runs), section.epochs)) as progress,
        tracker.live(used, identity) as live,
    ):
        grid.complete(runs, paths.DATASET, [progress, timings, live])
        inputs.require_unchanged()

    made = grid.assemble(runs, paths.models_of(net))
    made_from = MadeFrom(runs[0].data, {net: made.best["fingerprint"]}, made.computed_on)
    with reporting(paths.report_of(net), used, made_from) as report:
        _report(net, made.history, made.best, report)


def _report(net: str, history: pd.DataFrame, best: dict[str, Any], report: Report) -> None:
    layers = layer_table.table(zoo.layers(net, **best["point"]))
    report.table("layers", layers)
    for name, table in history_tables.of_net(net, history).items():
        report.table(name, table)
    measured = {name: best["best"][name] for name in HEADLINES if name in best["best"]}
    report.metrics({**measured, "total_parameters": best["total_parameters"]})
    report.figure("network", figures.diagrams.network(layers, title=net))
    report.figure("curves", figures.curves.learning_curves(history, title=net))
    if by_rate := history_tables.dropout_extremes(history, best["point"]):
        named = {f"dropout rate {rate:g}": rows for rate, rows in by_rate.items()}
        report.figure("dropout", figures.curves.train_against_test(named, title=net))
