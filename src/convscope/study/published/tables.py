"""The study's tables under the names, and with the columns, of our own below reports/."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from convscope.base.names import STUDY_ACCURACY, STUDY_OVERFIT
from convscope.study.published.study import study

NETS = ("net1", "net2", "net3", "net4")
# every table, by the path below reports/ of the CSV file that holds ours: the columns that
# identify its rows (none where there is one row)
KEYS: dict[str, tuple[str, ...]] = {
    "train/baseline/by_lr_batch_size": ("lr", "batch_size"),
    "train/net1/by_l1_oc_filter_multiplier": ("l1_oc", "filter_multiplier"),
    "train/net1/by_kernel_size_stride": ("kernel_size", "stride"),
    "train/net1/by_kernel_size": ("kernel_size",),
    "train/net1/best": (),
    "train/net2/by_epoch": ("epoch",),
    "train/net2/by_l1_oc": ("l1_oc",),
    "train/net2/by_kernel_size": ("kernel_size",),
    "train/net2/best": (),
    "train/net3/by_dropout_rate": ("dropout_rate",),
    "train/net3/by_l1_oc": ("l1_oc",),
    "train/net3/best": (),
    "train/net3/best_study": (),
    "train/net4/by_dropout_rate": ("dropout_rate",),
    "train/net4/best": (),
    "train/net4/best_study": (),
    "train/net4/overfit_above": ("test_accuracy_above",),
    "evaluate/best": ("net",),
    "filter-ablation/class_accuracy": ("class",),
    "filter-ablation/confusion_before": ("true",),
    "filter-ablation/confusion_after": ("true",),
    "filter-ablation/confusion_difference": ("true",),
    "filter-ablation/between_groups": ("true", "predicted"),
    "filter-ablation/atlas_by_layer": ("layer",),
    "filter-identify/class_frequency": ("filter",),
    "filter-identify/responses": ("filter",),
    "filter-identify/patch_sizes": ("layer",),
}
# the tables whose accuracies are, or may be, of training mode and augmented images
_TESTED_ITS_WAY = ("train/net3/", "train/net4/", "evaluate/best")


def table(name: str) -> pd.DataFrame:
    """One of the study's tables, by a key of ``KEYS``.

    Returns:
        The columns of our table that the study printed, with the same names and units. Two differ:
        ``filter-ablation/class_accuracy`` is computed from the study's confusion matrices (see
        ``printed_class_accuracy``), and ``filter-ablation/atlas_by_layer`` has only the number of
        filters, as the study did not ablate single filters. What it printed of networks that it
        trained on augmented images was measured in its own way: the tables have it twice, as
        ``STUDY_MEASURED``, which is like for like, and as test_accuracy and overfit_percent.

    Raises:
        KeyError: The study has no such table.
    """
    return _table(name).copy()


@cache
def _table(name: str) -> pd.DataFrame:
    if name not in KEYS:
        raise KeyError(name)
    if name in _MADE:
        found = _MADE[name]()
    else:
        block, rows = name.removesuffix("_study").split("/")[-2:]
        printed = study()[block][rows]
        found = pd.DataFrame([printed] if rows == "best" else printed)
    return _its_way(found) if name.startswith(_TESTED_ITS_WAY) else found


def printed_class_accuracy() -> pd.DataFrame:
    """The study's table 1 as it printed it: of 316 test images, and so unlike its matrices.

    Returns:
        class, before_percent, after_percent and drop_points; the last row, "overall", is of all
        10,000 images.
    """
    ablation = study()["filter_ablation"]
    rows = [*ablation["class_accuracy_percent"].values(), ablation["overall_accuracy_percent"]]
    return _with_drop(pd.DataFrame(rows, dtype=float))


def _its_way(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its accuracies also under the names of what is measured in the study's way."""
    for usual, own in (("test_accuracy", STUDY_ACCURACY), ("overfit_percent", STUDY_OVERFIT)):
        if usual in table:
            table.insert(table.columns.tolist().index(usual), own, table[usual])
    return table


def _overfit_above() -> pd.DataFrame:
    overfit = study()["net4"]["mean_overfit_percent_where_test_accuracy_above_0.88"]
    return pd.DataFrame({"test_accuracy_above": [0.88], "overfit_percent": [overfit]})


def _matrix(when: str) -> pd.DataFrame:
    """A confusion matrix: rows true, columns predicted classes."""
    classes = study()["classes"]
    matrix = pd.DataFrame(study()["filter_ablation"][f"confusion_{when}"], classes, classes)
    return matrix.rename_axis("true")


def _class_accuracy() -> pd.DataFrame:
    accuracies = {}
    for when in ("before", "after"):
        cells = _matrix(when).to_numpy()
        by_class = 100 * cells.diagonal() / cells.sum(axis=1)
        accuracies[when] = [*by_class, 100 * cells.trace() / cells.sum()]
    return _with_drop(pd.DataFrame(accuracies))


def _with_drop(accuracies: pd.DataFrame) -> pd.DataFrame:
    table = accuracies.add_suffix("_percent")
    table.insert(0, "class", [*study()["classes"], "overall"])
    return table.assign(drop_points=table["before_percent"] - table["after_percent"])


def _between_groups() -> pd.DataFrame:
    """Errors within and between the groups: an image of the right class is not an error."""
    groups = study()["groups"]
    group_of = {member: group for group, members in groups.items() for member in members}
    errors = {}
    for when in ("before", "after"):
        by_class = _matrix(when) * (1 - np.eye(len(group_of), dtype=int))
        errors[when] = by_class.stack().rename(group_of).groupby(level=[0, 1]).sum()
    return pd.DataFrame(errors).rename_axis(["true", "predicted"]).reset_index()


def _class_frequency() -> pd.DataFrame:
    block = study()["filter_identification"]
    images = pd.DataFrame(block["class_frequency_in_top_20"], study()["classes"]).T
    return images.assign(max_class=images.idxmax(axis=1)).rename_axis("filter").reset_index()


def _responses() -> pd.DataFrame:
    block = study()["filter_identification"]
    printed = pd.DataFrame(block["response_of_top_20"]).T.rename_axis("filter").reset_index()
    layers = printed["filter"].str.partition("/")[0]
    printed.insert(1, "layer", layers)
    return printed.assign(
        mean_per_pixel=printed["mean"] / layers.map(block["map_size"]) ** 2,
        dead=printed["filter"].isin(block["dead_filters"]),
    )


def _by_layer(column: str, values: Mapping[str, int]) -> pd.DataFrame:
    return pd.DataFrame(values.items(), columns=["layer", column])


_MADE: dict[str, Callable[[], pd.DataFrame]] = {
    "train/net4/overfit_above": _overfit_above,
    "evaluate/best": lambda: pd.DataFrame([{"net": n, **study()[n]["best"]} for n in NETS]),
    "filter-ablation/class_accuracy": _class_accuracy,
    "filter-ablation/confusion_before": lambda: _matrix("before").reset_index(),
    "filter-ablation/confusion_after": lambda: _matrix("after").reset_index(),
    "filter-ablation/confusion_difference": lambda: (
        _matrix("before") - _matrix("after")
    ).reset_index(),
    "filter-ablation/between_groups": _between_groups,
    "filter-ablation/atlas_by_layer": lambda: _by_layer(
        "filters", study()["filter_ablation"]["filters_by_layer"]
    ),
    "filter-identify/class_frequency": _class_frequency,
    "filter-identify/responses": _responses,
    "filter-identify/patch_sizes": lambda: _by_layer(
        "patch_size", study()["filter_identification"]["patch_size"]
    ),
}
