"""evaluate: the best runs of all networks compared -> reports/evaluate/."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from convscope.base import metrics, paths, runtime
from convscope.base.errors import UserError
from convscope.base.report_folder import Report, reporting
from convscope.config import params_file
from convscope.config.schema import Evaluate
from convscope.data import datasets
from convscope.evaluation import predictions, protocols, selection
from convscope.figures import dots, galleries, matrices
from convscope.nets import trained, zoo
from convscope.nets.inference import logits

Models = dict[str, tuple[torch.nn.Sequential, dict[str, Any]]]


@dataclass(frozen=True)
class _Tested:
    """What the stage's tables and figures are made of.

    Attributes:
        dataset: The data set, on the device.
        runs: By network, the best run's best.json.
        outputs: By network, the logits of the test images.
        best: The table of the best runs.
        winner: The network with the highest accuracy, the first of equals.
    """

    dataset: datasets.DataSet
    runs: dict[str, dict[str, Any]]
    outputs: dict[str, torch.Tensor]
    best: pd.DataFrame
    winner: str


def run() -> None:
    """Test the best run of each trained network on the whole test set.

    Raises:
        UserError: A network or the data set is missing or damaged.
    """
    settings = params_file.need(params_file.load().evaluate, "evaluate")
    device = runtime.device()
    dataset = datasets.load(paths.DATASET).to(device)
    found = _models(dataset.fingerprint)
    models = {net: (module.to(device), best) for net, (module, best) in found.items()}
    histories = {net: trained.history(paths.models_of(net), selection.NEEDED) for net in models}

    used = {"evaluate": settings.model_dump(mode="json")}
    with (
        runtime.deterministic(settings.threads),
        reporting(paths.REPORTS / "evaluate", used) as report,
    ):
        tested = _test(models, dataset)
        headlines = zip(tested.best["net"], tested.best["test_accuracy"], strict=True)
        report.metrics({f"{net}_test_accuracy": accuracy for net, accuracy in headlines})
        _accuracies(report, tested, histories)
        _confusions(report, tested)
        _protocols(report, tested, {net: module for net, (module, _) in models.items()}, settings)
        _mistakes(report, tested, settings)


def _test(models: Models, dataset: datasets.DataSet) -> _Tested:
    """Run every network over the test images."""
    outputs = {net: logits(module, dataset.test_images) for net, (module, _) in models.items()}
    runs = {net: best for net, (_, best) in models.items()}
    best = predictions.best_runs(outputs, dataset.test_labels, runs)
    winner = str(best["net"].iloc[int(best["test_accuracy"].argmax())])
    return _Tested(dataset, runs, outputs, best, winner)


def _accuracies(report: Report, tested: _Tested, histories: dict[str, pd.DataFrame]) -> None:
    """The networks' accuracies, and how much of them is luck."""
    predicted = predictions.by_image(tested.outputs, tested.dataset.test_labels)
    selected = selection.by_net(histories, len(predicted))
    report.table("best", tested.best)
    report.table("predictions", predicted)
    report.table("mcnemar", selection.mcnemar(predicted))
    report.table("selection", selected)
    report.figure("best", dots.best_runs(tested.best))
    report.figure("selection", dots.selection(selected))


def _confusions(report: Report, tested: _Tested) -> None:
    """What each network takes each class for."""
    dataset, classes = tested.dataset, tested.dataset.classes
    matrix = predictions.confusions(tested.outputs, dataset.test_labels, len(classes))
    for net, cells in matrix.items():
        report.table(f"confusion_{net}", metrics.labeled(cells, classes))
    report.table("class_accuracy", predictions.class_accuracies(matrix, classes))
    title = "Confusion matrices of the best run of each network"
    report.figure("confusion", matrices.confusion(matrix, classes, dataset.groups, title))


def _protocols(
    report: Report, tested: _Tested, modules: dict[str, torch.nn.Sequential], settings: Evaluate
) -> None:
    """The networks that were trained on augmented images, tested in three ways."""
    images, labels = tested.dataset.test_images, tested.dataset.test_labels
    rows = []
    for net, module in modules.items():
        if not tested.runs[net]["settings"]["augment"]:
            continue
        found = protocols.accuracies(module, images, labels, tested.outputs[net], settings.seed)
        for protocol, share in found.items():
            right = round(share * len(labels))
            rows.append((net, protocol, share, *metrics.accuracy_interval(right, len(labels))))
    table = pd.DataFrame(rows, columns=["net", "protocol", "accuracy", "low", "high"])
    report.table("protocols", table)
    if rows:
        report.figure("protocols", dots.protocols(table))


def _mistakes(report: Report, tested: _Tested, settings: Evaluate) -> None:
    """The images that the best network gets wrong, and its accuracy by the study's sample."""
    dataset, outputs = tested.dataset, tested.outputs[tested.winner]
    wrong = predictions.misclassified(outputs, dataset.test_labels, dataset.classes)
    report.table("misclassified", wrong)
    report.table(
        "class_sample",
        predictions.class_sample(tested.winner, outputs, dataset.test_labels, dataset.classes),
    )
    rows = predictions.commonest_pairs(wrong, settings.pairs, settings.images_per_pair)
    pairs = [(label, dataset.test_images[torch.tensor(chosen)]) for label, chosen in rows]
    report.figure("misclassified", galleries.pair_gallery(pairs))


def _models(data: str) -> Models:
    """Every network with a model folder, in the order of ``nets.NETS``."""
    compared = {net: paths.models_of(net) for net, known in zoo.NETS.items() if known.compared}
    found = {
        net: trained.load_best(folder, data) for net, folder in compared.items() if folder.is_dir()
    }
    if not found:
        raise UserError(f"{paths.MODELS} holds no trained network: run `convscope train net1`")
    return found
