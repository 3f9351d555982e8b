"""evaluate: the best run of every network, side by side -> reports/evaluate/."""

from typing import Any

import pandas as pd
import torch

from convscope import config, data, evaluation, files, nets, runtime, selection, trained, workspace
from convscope.analysis import protocols
from convscope.errors import UserError
from convscope.figures import bars, images, matrices
from convscope.inference import logits
from convscope.reporting import reporting
from convscope.runs import HISTORY

Models = dict[str, tuple[torch.nn.Sequential, dict[str, Any]]]


def run() -> None:
    """Test the best run of each trained network on the whole test set.

    Raises:
        UserError: A network or the data set is missing or damaged.
    """
    settings = config.need(config.load().evaluate, "evaluate")
    device = runtime.device()
    dataset = data.load(workspace.DATASET).to(device)
    labels, classes = dataset.test_labels, dataset.classes
    models = {net: (module.to(device), best) for net, (module, best) in _models().items()}
    histories = {net: _history(net) for net in models}

    used = {"evaluate": settings.model_dump(mode="json")}
    with (
        runtime.deterministic(settings.threads),
        reporting(workspace.REPORTS / "evaluate", used) as report,
    ):
        outputs = {net: logits(module, dataset.test_images) for net, (module, _) in models.items()}
        best = evaluation.best_of_nets(outputs, labels, {net: b for net, (_, b) in models.items()})
        report.table("best", best)
        headlines = zip(best["net"], best["test_accuracy"], strict=True)
        report.metrics({f"{net}_test_accuracy": accuracy for net, accuracy in headlines})
        predictions = evaluation.predictions(outputs, labels)
        report.table("predictions", predictions)
        report.table("mcnemar", selection.mcnemar(predictions))
        selected = selection.by_net(histories, len(labels))
        report.table("selection", selected)
        matrix = evaluation.confusions(outputs, labels, len(classes))
        for net, cells in matrix.items():
            report.table(f"confusion_{net}", evaluation.labeled(cells, classes))
        report.table("class_accuracy", evaluation.class_accuracies(matrix, classes))
        tested = _protocols(models, dataset, settings.seed)
        report.table("protocols", tested)

        winner = str(best["net"].iloc[int(best["test_accuracy"].argmax())])
        wrong = evaluation.misclassified(outputs[winner], labels, classes)
        report.table("misclassified", wrong)
        sample = evaluation.class_sample(winner, outputs[winner], labels, classes)
        report.table("class_sample", sample)

        report.figure("best", bars.best_of_nets(best))
        report.figure("selection", bars.selection(selected))
        report.figure("confusion", matrices.confusion(matrix, classes, dataset.groups))
        if not tested.empty:
            report.figure("protocols", bars.protocols(tested))
        rows = evaluation.commonest_pairs(wrong, settings.pairs, settings.images_per_pair)
        pairs = [(label, dataset.test_images[torch.tensor(chosen)]) for label, chosen in rows]
        report.figure("misclassified", images.pair_gallery(pairs))


def _protocols(models: Models, dataset: data.DataSet, seed: int) -> pd.DataFrame:
    """The networks that were trained on augmented images, tested in three ways."""
    rows = [
        {"net": net, "protocol": protocol, "accuracy": accuracy}
        for net, (module, run) in models.items()
        if run["settings"]["augment"]
        for protocol, accuracy in protocols.accuracies(
            module, dataset.test_images, dataset.test_labels, seed
        ).items()
    ]
    return pd.DataFrame(rows, columns=["net", "protocol", "accuracy"])


def _models() -> Models:
    """Every network with a model folder, in the order of ``nets.NETS``."""
    folders = {net: workspace.models_of(net) for net in nets.NETS if net != "baseline"}
    found = {net: trained.load_best(folder) for net, folder in folders.items() if folder.is_dir()}
    if not found:
        raise UserError(f"{workspace.MODELS} holds no trained network: run `convscope train net1`")
    return found


def _history(net: str) -> pd.DataFrame:
    """Every epoch of every run of a network."""
    path, made_by = workspace.models_of(net) / HISTORY, f"train {net}"
    history = files.read_csv(path, made_by)
    if absent := [name for name in selection.NEEDED if name not in history]:
        raise files.damaged(path, made_by, f"it has no column {absent[0]}")
    if history.empty:
        raise files.damaged(path, made_by, "it has no rows")
    return history
