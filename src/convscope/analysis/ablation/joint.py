"""Some filters ablated together: the changed network, and tables of what that costs.

Study, part 2.2.2.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd
import torch
from torch import Tensor, nn

from convscope.base import metrics
from convscope.nets.filter_selection import Chosen, check

OVERALL = "overall"
Network = TypeVar("Network", bound=nn.Module)


def ablated(module: Network, filters: Chosen) -> Network:
    """A copy of a network with the convolution weights of some filters set to zero.

    The bias and the batch normalization after it stay, as in the study, so that the filter's map
    becomes one constant, not zero.

    Raises:
        ValueError: The network has no such layer, or the layer no such filter.
    """
    check(module, filters)
    copy = deepcopy(module)
    with torch.no_grad():
        for name, numbers in filters.items():
            copy.get_submodule(name).get_parameter("weight")[list(numbers)] = 0
    return copy


@dataclass(frozen=True)
class Comparison:
    """A network's outputs before and after ablation, for the same images in the same order."""

    labels: Tensor  # (N,) int64, true classes
    before: Tensor  # (N, C) logits of the intact network
    after: Tensor  # (N, C) logits of the ablated network
    classes: Sequence[str]  # the names of the C classes

    def confusion(self) -> dict[str, Tensor]:
        """The study's matrices ``before``, ``after`` and ``difference``, before less after.

        Each is (C, C) int64, rows true and columns predicted classes. On the diagonal of the
        difference a positive number is a loss; elsewhere a negative number counts new errors.
        """
        before, after = (
            metrics.confusion_matrix(self.labels, logits.argmax(1), len(self.classes))
            for logits in (self.before, self.after)
        )
        return {"before": before, "after": after, "difference": before - after}

    def class_accuracy(self) -> pd.DataFrame:
        """The study's table 1: accuracy in percent by class and overall, before, after and lost."""
        matrices = self.confusion()
        table = pd.DataFrame({"class": [*self.classes, OVERALL]})
        for name, logits in (("before", self.before), ("after", self.after)):
            by_class = metrics.class_accuracy(matrices[name]).tolist()
            accuracies = [*by_class, metrics.accuracy(logits, self.labels)]
            table[f"{name}_percent"] = [100 * accuracy for accuracy in accuracies]
        table["drop_points"] = table["before_percent"] - table["after_percent"]
        return table

    def between_groups(self, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
        """Errors within and between groups of classes: the study's red and green boxes.

        A row for each pair of groups, in their order: true, predicted, before and after, the number
        of misclassified images. Vehicles, animals are vehicles taken for animals; animals, animals
        are animals taken for other animals. Data without groups have no rows.
        """
        members = {
            name: [list(self.classes).index(each) for each in group]
            for name, group in groups.items()
        }
        matrices = self.confusion()
        errors = [matrices[name] - matrices[name].diag().diag() for name in ("before", "after")]
        rows = [
            (true, other, *(int(cells[members[true]][:, members[other]].sum()) for cells in errors))
            for true in groups
            for other in groups
        ]
        return pd.DataFrame(rows, columns=["true", "predicted", "before", "after"])

    def newly_misclassified(self) -> pd.DataFrame:
        """The images right before and wrong after, in order: image, true, predicted."""
        predicted = self.after.argmax(1)
        right_before = self.before.argmax(1) == self.labels
        images = (right_before & (predicted != self.labels)).nonzero().flatten()
        return pd.DataFrame(
            {
                "image": images.tolist(),
                "true": [self.classes[label] for label in self.labels[images].tolist()],
                "predicted": [self.classes[label] for label in predicted[images].tolist()],
            }
        )

    def headlines(self) -> dict[str, float]:
        """The few numbers that MLflow compares."""
        before, after = (metrics.accuracy(each, self.labels) for each in (self.before, self.after))
        return {
            "accuracy_before": before,
            "accuracy_after": after,
            "drop_points": 100 * (before - after),
            "newly_misclassified": float(len(self.newly_misclassified())),
        }
