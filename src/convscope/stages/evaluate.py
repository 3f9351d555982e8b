"""evaluate: the best run of every network, side by side -> reports/evaluate/."""

from typing import Any

import pandas as pd
import torch

from convscope import config, data, evaluation, nets, runtime, trained, workspace
from convscope.analysis import protocols
from convscope.errors import UserError
from convscope.figures import bars, images, matrices
from convscope.inference import logits
from convscope.reporting import reporting


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
        report.table("predictions", evaluation.predictions(outputs, labels))
        matrix = evaluation.confusions(outputs, labels, len(classes))
        for net, cells in matrix.items():
            report.table(f"confusion_{net}", evaluation.labeled(cells, classes))
        report.table("class_accuracy", evaluation.class_accuracies(matrix, classes))
        tested = [
            {"net": net, "protocol": protocol, "accuracy": accuracy}
            for net, (module, run) in models.items()
            if run["settings"]["augment"]
            for protocol, accuracy in protocols.accuracies(
                module, dataset.test_images, labels, settings.seed
            ).items()
        ]
        tested_table = pd.DataFrame(tested, columns=["net", "protocol", "accuracy"])
        report.table("protocols", tested_table)

        winner = str(best["net"].iloc[int(best["test_accuracy"].argmax())])
        wrong = evaluation.misclassified(outputs[winner], labels, classes)
        report.table("misclassified", wrong)

        report.figure("best", bars.best_of_nets(best))
        report.figure("confusion", matrices.confusion(matrix, classes, dataset.groups))
        if tested:
            report.figure("protocols", bars.protocols(tested_table))
        rows = evaluation.commonest_pairs(wrong, settings.pairs, settings.images_per_pair)
        pairs = [(label, dataset.test_images[torch.tensor(chosen)]) for label, chosen in rows]
        report.figure("misclassified", images.pair_gallery(pairs))


def _models() -> dict[str, tuple[torch.nn.Sequential, dict[str, Any]]]:
    """Every network with a model folder, in the order of ``nets.NETS``."""
    folders = {net: workspace.models_of(net) for net in nets.NETS if net != "baseline"}
    found = {net: trained.load_best(folder) for net, folder in folders.items() if folder.is_dir()}
    if not found:
        raise UserError(f"{workspace.MODELS} holds no trained network: run `convscope train net1`")
    return found
