"""Filter ablation: chosen filters' weights set to zero, and what that does (study, part 2.2.2)."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from convscope.base.metrics import accuracy, class_accuracy, confusion_matrix
from convscope.nets.filter_selection import Chosen, check


def ablated(module: nn.Module, filters: Chosen) -> nn.Module:
    """A copy of a network with the convolution weights of some filters set to zero.

    The bias and the batch normalization after it stay, as in the study (part 2.2.2), so that the
    filter's map becomes one constant, not zero.

    Args:
        module: A network of ``nets.build``; left as it is.
        filters: Filter numbers, from 0, by layer: ``{"conv1": [0, 1]}``.

    Returns:
        The changed copy, in the same mode and on the same device.

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
    """A network's predictions before and after ablation.

    Attributes:
        classes: The names of the C classes, in the order of the rows and columns below.
        accuracy_before: Share of images predicted right, in [0, 1].
        accuracy_after: The same with the filters ablated.
        class_accuracy_before: (C,) float64, the share by true class; 0 for an absent class.
        class_accuracy_after: The same with the filters ablated.
        confusion_before: (C, C) int64, rows true and columns predicted classes.
        confusion_after: The same with the filters ablated.
        newly_misclassified: (M,) int64, ascending indices of images right before, wrong after.
    """

    classes: tuple[str, ...]
    accuracy_before: float
    accuracy_after: float
    class_accuracy_before: torch.Tensor
    class_accuracy_after: torch.Tensor
    confusion_before: torch.Tensor
    confusion_after: torch.Tensor
    newly_misclassified: torch.Tensor

    @property
    def difference(self) -> torch.Tensor:
        """(C, C) int64, before - after: the study's third matrix (part 2.2.2).

        On the diagonal a positive number is a loss; elsewhere a negative number counts new errors.
        """
        return self.confusion_before - self.confusion_after


def compare(
    labels: torch.Tensor,
    logits_before: torch.Tensor,
    logits_after: torch.Tensor,
    classes: Sequence[str],
) -> Comparison:
    """Compare a network's predictions before and after ablation (study, part 2.2.2).

    Args:
        labels: (N,) int64, true classes.
        logits_before: (N, C) of the intact network.
        logits_after: (N, C) of the ablated network, for the same images in the same order.
        classes: The names of the C classes.
    """
    before, after = logits_before.argmax(1), logits_after.argmax(1)
    confusion_before = confusion_matrix(labels, before, len(classes))
    confusion_after = confusion_matrix(labels, after, len(classes))
    return Comparison(
        classes=tuple(classes),
        accuracy_before=accuracy(logits_before, labels),
        accuracy_after=accuracy(logits_after, labels),
        class_accuracy_before=class_accuracy(confusion_before),
        class_accuracy_after=class_accuracy(confusion_after),
        confusion_before=confusion_before,
        confusion_after=confusion_after,
        newly_misclassified=((before == labels) & (after != labels)).nonzero().flatten(),
    )


def between_groups(
    confusion: torch.Tensor, groups: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> dict[tuple[str, str], int]:
    """Count the errors within and between groups of classes: the study's red and green boxes.

    Args:
        confusion: (C, C) int64, rows true and columns predicted classes.
        groups: Class names by group; empty for data without groups.
        classes: The names of the C classes, in the order of the rows.

    Returns:
        For each (true group, predicted group) the number of misclassified images, in the order of
        ``groups``: ``("vehicles", "animals")`` are vehicles taken for animals, and
        ``("animals", "animals")`` animals taken for other animals.
    """
    errors = confusion - confusion.diag().diag()
    rows = {name: [classes.index(member) for member in group] for name, group in groups.items()}
    return {
        (true, predicted): int(errors[rows[true]][:, rows[predicted]].sum())
        for true in groups
        for predicted in groups
    }
