"""Tables of what trained networks predict for the test images; logits and labels in."""

import math
from collections.abc import Container, Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from convscope.base import metrics
from convscope.base.names import CLASSES, STUDY_MEASURED

# the images of the study's table by class (published/study.yaml, filter_ablation)
STUDY_BATCH = 128
SAMPLED_OF_BATCH = 4
# of more classes most cells of a confusion matrix are empty, and there are millions of 1,000
MOST_CLASSES = 100


def best_runs(
    outputs: Mapping[str, Tensor],
    labels: Tensor,
    best: Mapping[str, Mapping[str, Any]],
    fitted: Mapping[str, float],
    highest: Mapping[str, float],
    alike: Container[str] = (),
) -> pd.DataFrame:
    """The best run of each network, with its accuracy on the test set and how sure that is.

    Args:
        outputs: By network, logits (N, classes) in evaluation mode.
        labels: (N,) int64.
        best: By network, its best.json.
        fitted: By network, the accuracy in evaluation mode on its training images as they are.
        highest: By network, any epoch's highest accuracy by the study's way, where it was measured.
        alike: The networks whose accuracy is the same by the study's way of testing.

    Returns:
        A row a network: net, run, epoch, test_accuracy in [0, 1], its 95 % confidence interval
        (low, high), train_accuracy (while training), overfit_percent, the two ``STUDY_MEASURED``
        and best_study_accuracy (``highest``; all three missing where they were not measured),
        train_accuracy_clean (``fitted``), clean_gap_points (how much it exceeds test_accuracy),
        total_parameters, and the point.
    """
    rows = []
    for net, logits in outputs.items():
        correct = int((logits.argmax(1) == labels).sum())
        low, high = metrics.accuracy_interval(correct, len(labels))
        run, measured, accuracy = best[net], best[net]["best"], correct / len(labels)
        usual = (accuracy, measured["overfit_percent"]) if net in alike else (math.nan, math.nan)
        rows.append(
            {
                "net": net,
                "run": run["run"],
                "epoch": measured["epoch"],
                "test_accuracy": accuracy,
                "low": low,
                "high": high,
                "train_accuracy": measured["train_accuracy"],
                "overfit_percent": measured["overfit_percent"],
                **{k: measured.get(k, v) for k, v in zip(STUDY_MEASURED, usual, strict=True)},
                "best_study_accuracy": highest.get(net, math.nan),
                "train_accuracy_clean": fitted[net],
                "clean_gap_points": 100 * (fitted[net] - accuracy),
                "total_parameters": run["total_parameters"],
                **{key: value for key, value in run["point"].items() if key != CLASSES},
            }
        )
    return pd.DataFrame(rows)


def by_image(outputs: Mapping[str, Tensor], labels: Tensor) -> pd.DataFrame:
    """The class that each network predicts: image, label, then a column a network."""
    predicted = {net: logits.argmax(1).tolist() for net, logits in outputs.items()}
    return pd.DataFrame({"image": range(len(labels)), "label": labels.tolist(), **predicted})


def confusions(outputs: Mapping[str, Tensor], labels: Tensor, classes: int) -> dict[str, Tensor]:
    """Each network's confusion matrix, (classes, classes) int64, rows true."""
    return {
        net: metrics.confusion_matrix(labels, logits.argmax(1), classes)
        for net, logits in outputs.items()
    }


def confusion_cells(matrices: Mapping[str, Tensor], classes: Sequence[str]) -> pd.DataFrame:
    """The cells of all networks' confusion matrices in one table, as plotting tools take them.

    Returns:
        A row a cell: net, true, predicted, images, and share, in [0, 1], of the true class's
        images; 0 for an absent class. Of more than ``MOST_CLASSES``, cells without images are left
        out, but for the diagonal's.
    """
    tables = []
    for net, matrix in matrices.items():
        shares = matrix.double() / matrix.sum(1, keepdim=True).clamp(min=1)
        kept = torch.ones_like(matrix, dtype=torch.bool)
        if len(classes) > MOST_CLASSES:
            kept = (matrix > 0) | torch.eye(len(classes), dtype=torch.bool, device=matrix.device)
        true, predicted = kept.nonzero().T.tolist()
        cells = {
            "net": net,
            "true": [classes[label] for label in true],
            "predicted": [classes[label] for label in predicted],
            "images": matrix[kept].tolist(),
            "share": shares[kept].tolist(),
        }
        tables.append(pd.DataFrame(cells))
    return pd.concat(tables, ignore_index=True)


def class_accuracies(matrices: Mapping[str, Tensor], classes: Sequence[str]) -> pd.DataFrame:
    """Each network's accuracy by class, in [0, 1]: class, then a column a network."""
    columns = {net: metrics.class_accuracy(matrix).tolist() for net, matrix in matrices.items()}
    return pd.DataFrame({"class": list(classes), **columns})


def class_sample(net: str, logits: Tensor, labels: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """The study's sample for its table by class, compared with all test images.

    The study took the first 4 images of each batch of 128: 316 of CIFAR-10's 10,000.

    Returns:
        A row a class: net, class, sampled_images, sampled_accuracy and accuracy (of all images)
        in [0, 1], and difference_points, sampled less all. What has no image has no value.
    """
    predicted = logits.argmax(1)
    sampled = torch.arange(len(labels), device=labels.device) % STUDY_BATCH < SAMPLED_OF_BATCH
    sample, complete = (
        metrics.confusion_matrix(labels[part], predicted[part], len(classes))
        for part in (sampled, slice(None))
    )
    shares = [(cells.diagonal().double() / cells.sum(1)).cpu() for cells in (sample, complete)]
    return pd.DataFrame(
        {
            "net": net,
            "class": list(classes),
            "sampled_images": sample.sum(1).tolist(),
            "sampled_accuracy": shares[0].tolist(),
            "accuracy": shares[1].tolist(),
            "difference_points": (100 * (shares[0] - shares[1])).tolist(),
        }
    )


def misclassified(logits: Tensor, labels: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """The images that a network gets wrong.

    Returns:
        A row an image, the surest mistakes first: image, true, predicted, and confidence, the
        softmax probability of the predicted class.
    """
    # predictions are of the logits: probabilities can be equal where logits are not
    predicted = logits.argmax(1)
    confidence = torch.softmax(logits.double(), 1).gather(1, predicted[:, None]).squeeze(1)
    wrong = (predicted != labels).nonzero().flatten()
    table = pd.DataFrame(
        {
            "image": wrong.tolist(),
            "true": [classes[index] for index in labels[wrong].tolist()],
            "predicted": [classes[index] for index in predicted[wrong].tolist()],
            "confidence": confidence[wrong].tolist(),
        }
    )
    return table.sort_values("confidence", ascending=False, kind="stable", ignore_index=True)


def commonest_pairs(
    wrong: pd.DataFrame, pairs: int, images_per_pair: int
) -> list[tuple[str, list[int]]]:
    """The commonest confusions of what ``misclassified`` found, with their surest images.

    For each pair of a true and a predicted class, a label such as ``"cat taken for dog (102)"``,
    and the indices of so many images at most.
    """
    # of pairs that are as common, the alphabet decides
    by_pair = wrong.groupby(["true", "predicted"])["image"]
    commonest = sorted(by_pair, key=lambda pair: -len(pair[1]))[:pairs]
    return [
        (f"{true} taken for {predicted} ({len(images)})", images.head(images_per_pair).tolist())
        for (true, predicted), images in commonest
    ]
