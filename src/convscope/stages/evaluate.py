"""evaluate: the best runs of all networks compared -> reports/evaluate/."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import nn

from convscope import figures
from convscope.base import files, metrics, paths, runtime
from convscope.base.errors import UserError
from convscope.base.names import CLEAN, STUDY, STUDY_ACCURACY
from convscope.base.report_folder import Report, reporting
from convscope.config import params_file
from convscope.config.schema import Evaluate
from convscope.data import datasets
from convscope.data.augment import Augmentation
from convscope.evaluation import departures, predictions, protocols, selection
from convscope.nets import study_mode, trained, zoo
from convscope.nets.inference import logits

# by how much an accuracy may differ from the one that was measured while training
ROUNDING = 0.01


@dataclass(frozen=True)
class _Tested:
    """The data set; by network: its module, its best.json, and the test images' logits."""

    dataset: datasets.DataSet
    modules: dict[str, nn.Sequential]
    runs: dict[str, dict[str, Any]]
    outputs: dict[str, torch.Tensor]


def run() -> None:
    """Test the best run of each trained network on all test images.

    Raises:
        UserError: A network or the data set is missing or damaged.
    """
    params = params_file.load()
    kernels = params_file.need(params.kernels, "kernels")
    settings = params_file.need(params.evaluate, "evaluate")
    device = runtime.device()
    dataset = datasets.load(paths.DATASET).to(device)
    found = _load(dataset.fingerprint)
    modules = {net: module.to(device) for net, (module, _) in found.items()}
    runs = {net: best for net, (_, best) in found.items()}
    histories = {net: trained.history(paths.models_of(net), selection.NEEDED) for net in found}

    used = {"kernels": kernels, "evaluate": settings.model_dump(mode="json")}
    with (
        runtime.deterministic(settings.threads, kernels),
        reporting(paths.REPORTS / "evaluate", used, trained.made_from(dataset, runs)) as report,
    ):
        outputs = {net: logits(module, dataset.test_images) for net, module in modules.items()}
        tested = _Tested(dataset, modules, runs, outputs)
        _require_accuracies(tested)
        best = _compare(report, tested, histories)
        _confusions(report, tested)
        _protocols(report, tested, settings.seed)
        _mistakes(report, tested, best, settings)


def _load(data: str) -> dict[str, tuple[nn.Sequential, dict[str, Any]]]:
    """Every compared network with a model folder, in the order of ``zoo.NETS``."""
    folders = {net: paths.models_of(net) for net, known in zoo.NETS.items() if known.compared}
    found = {
        net: trained.load_best(folder, data) for net, folder in folders.items() if folder.is_dir()
    }
    if not found:
        raise UserError(f"{paths.MODELS} has no trained network: run `convscope train net1`")
    return found


def _require_accuracies(tested: _Tested) -> None:
    """Refuse a network that is not as accurate as its best.json says."""
    labels = tested.dataset.test_labels
    for net, outputs in tested.outputs.items():
        accuracy = metrics.accuracy(outputs, labels)
        stated = tested.runs[net]["best"]["test_accuracy"]
        # other processors and numbers of threads round otherwise
        if not (outputs.isfinite().all() and abs(accuracy - stated) <= ROUNDING):
            path, why = paths.models_of(net) / paths.BEST, f"its test_accuracy is {stated:.4f}"
            raise files.damaged(path, f"train {net}", f"{why}, its weights have {accuracy:.4f}")


def _compare(report: Report, tested: _Tested, histories: dict[str, pd.DataFrame]) -> str:
    """The networks' accuracies, and how much of them is luck; returns the best, first of equals."""
    labels = tested.dataset.test_labels
    alike = _tested_alike(tested)
    measured = {net: "test_accuracy" if net in alike else STUDY_ACCURACY for net in histories}
    highest = {
        net: float(history[measured[net]].max())
        for net, history in histories.items()
        if measured[net] in history
    }
    best = predictions.best_runs(
        tested.outputs, labels, tested.runs, _fitted(tested), highest, alike
    )
    predicted = predictions.by_image(tested.outputs, labels)
    selected = selection.by_net(histories, len(predicted))
    report.table("best", best)
    report.table("predictions", predicted)
    report.table("mcnemar", selection.mcnemar(predicted))
    report.table("selection", selected)
    accuracies = zip(best["net"], best["test_accuracy"], strict=True)
    report.metrics({f"{net}_test_accuracy": accuracy for net, accuracy in accuracies})
    report.figure("best", figures.dots.best_runs(best))
    report.figure("selection", figures.dots.selection(selected))
    return str(best["net"].iloc[int(best["test_accuracy"].argmax())])


def _fitted(tested: _Tested) -> dict[str, float]:
    """Each network's accuracy in evaluation mode on the images that it was trained on, clean."""
    images, labels = tested.dataset.train_images, tested.dataset.train_labels
    found = {}
    for net, run in tested.runs.items():
        kept = torch.arange(len(labels), device=labels.device)
        if run["settings"]["select_on"] == "validation":
            fraction, seed = run["settings"]["validation_fraction"], int(run["point"]["seed"])
            kept, _ = datasets.stratified_part(labels, fraction, seed)
        found[net] = metrics.accuracy(logits(tested.modules[net], images[kept]), labels[kept])
    return found


def _tested_alike(tested: _Tested) -> set[str]:
    """The networks that the study's way of testing takes as the usual way does."""
    return {
        net
        for net, run in tested.runs.items()
        if not study_mode.differs(tested.modules[net], Augmentation(**run["settings"]["augment"]))
    }


def _confusions(report: Report, tested: _Tested) -> None:
    """What each network takes each class for."""
    dataset, classes = tested.dataset, tested.dataset.classes
    matrix = predictions.confusions(tested.outputs, dataset.test_labels, len(classes))
    for net, cells in matrix.items():
        report.table(f"confusion_{net}", metrics.labeled(cells, classes))
    report.table("confusion", predictions.confusion_cells(matrix, classes))
    report.table("class_accuracy", predictions.class_accuracies(matrix, classes))
    title = "Confusion matrices of the best run of each network"
    shown = list(figures.names.drawn(classes).values())
    report.figure("confusion", figures.matrices.confusion(matrix, shown, dataset.groups, title))


def _protocols(report: Report, tested: _Tested, seed: int) -> None:
    """The networks that were trained on augmented images, tested in three ways.

    And what habits of the study's own code would change, see ``departures``.
    """
    pixels, labels = tested.dataset.test_images, tested.dataset.test_labels
    rows, habits = [], []
    for net, module in tested.modules.items():
        augmentation = Augmentation(**tested.runs[net]["settings"]["augment"])
        if not augmentation.changes:
            continue
        batches = list(study_mode.augmented(pixels, augmentation, seed))
        found = protocols.accuracies(module, batches, labels, tested.outputs[net], seed)
        for protocol, share in found.items():
            right = round(share * len(labels))
            rows.append((net, protocol, share, *metrics.accuracy_interval(right, len(labels))))
        here = (found[STUDY], found[CLEAN])
        changed = departures.accuracies(module, pixels, labels, augmentation, batches, here, seed)
        habits += [(net, habit, *pair) for habit, pair in changed.items()]
    table = pd.DataFrame(rows, columns=["net", "protocol", "accuracy", "low", "high"])
    report.table("protocols", table)
    ours = pd.DataFrame(habits, columns=["net", "departure", "without", "with"])
    gain = 100 * (ours["with"] - ours["without"])
    report.table("departures", ours.assign(gain_points=gain.astype(float)))
    if rows:
        report.figure("protocols", figures.dots.protocols(table))


def _mistakes(report: Report, tested: _Tested, net: str, settings: Evaluate) -> None:
    """The images that a network gets wrong, and its accuracy by the study's sample."""
    dataset, labels = tested.dataset, tested.dataset.test_labels
    wrong = predictions.misclassified(tested.outputs[net], labels, dataset.classes)
    sample = predictions.class_sample(net, tested.outputs[net], labels, dataset.classes)
    report.table("misclassified", wrong)
    report.table("class_sample", sample)
    drawn = figures.names.drawn(dataset.classes)
    named = wrong.assign(**{side: wrong[side].map(drawn) for side in ("true", "predicted")})
    rows = predictions.commonest_pairs(named, settings.pairs, settings.images_per_pair)
    pairs = [(label, dataset.test_images[torch.tensor(shown)]) for label, shown in rows]
    report.figure("misclassified", figures.galleries.pair_gallery(pairs))
