"""What several filters ablated together cost, as tables."""

from collections.abc import Mapping, Sequence

import pandas as pd
from torch import Tensor

from convscope.analysis.ablation.ablate import Comparison
from convscope.analysis.ablation.ablate import between_groups as count_between_groups

OVERALL = "overall"


def class_accuracy(found: Comparison) -> pd.DataFrame:
    """The study's table 1: accuracy in percent by class and overall, before, after and lost."""
    before = [*found.class_accuracy_before.tolist(), found.accuracy_before]
    after = [*found.class_accuracy_after.tolist(), found.accuracy_after]
    table = pd.DataFrame(
        {
            "class": [*found.classes, OVERALL],
            "before_percent": [100 * value for value in before],
            "after_percent": [100 * value for value in after],
        }
    )
    table["drop_points"] = table["before_percent"] - table["after_percent"]
    return table


def headlines(found: Comparison) -> dict[str, float]:
    """The few numbers that MLflow compares."""
    return {
        "accuracy_before": found.accuracy_before,
        "accuracy_after": found.accuracy_after,
        "drop_points": 100 * (found.accuracy_before - found.accuracy_after),
        "newly_misclassified": float(len(found.newly_misclassified)),
    }


def between_groups(found: Comparison, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Errors within and between groups of classes: true, predicted, before, after."""
    before = count_between_groups(found.confusion_before, groups, found.classes)
    after = count_between_groups(found.confusion_after, groups, found.classes)
    rows = [(*pair, before[pair], after[pair]) for pair in before]
    return pd.DataFrame(rows, columns=["true", "predicted", "before", "after"])


def newly_misclassified(found: Comparison, labels: Tensor, after: Tensor) -> pd.DataFrame:
    """The images right before and wrong after, in order: image, true, predicted."""
    indices = found.newly_misclassified
    taken = after.argmax(1)[indices]
    return pd.DataFrame(
        {
            "image": indices.tolist(),
            "true": [found.classes[label] for label in labels[indices].tolist()],
            "predicted": [found.classes[label] for label in taken.tolist()],
        }
    )
