"""The study's tables under the names, and with the columns, of our own below reports/."""

from collections.abc import Callable

import pandas as pd

from convscope.study.published.study import study

NETS = ("net1", "net2", "net3", "net4")
# every table, and the columns that tell its rows apart (none where there is one row)
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
    "train/net4/by_dropout_rate": ("dropout_rate",),
    "train/net4/best": (),
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


def table(name: str) -> pd.DataFrame:
    """One of the study's tables.

    Args:
        name: A key of ``KEYS``: the path below reports/, without its ending, of the file that holds
            our table.

    Returns:
        The columns of our table that the study printed, with the same names and units. Two differ:
        ``filter-ablation/class_accuracy`` is recomputed from the study's confusion matrices (see
        ``printed_class_accuracy``), and ``filter-ablation/atlas_by_layer`` has but the number of
        filters, as the study ablated no filter alone.

    Raises:
        KeyError: The study has no such table.
    """
    if name not in KEYS:
        raise KeyError(name)
    if name in _MADE:
        return _MADE[name]()
    block, rows = name.split("/")[-2:]
    printed = study()[block][rows]
    return pd.DataFrame([printed] if rows == "best" else printed)


def of_net(net: str) -> dict[str, pd.DataFrame]:
    """The study's tables of a network by their names, such as ``by_l1_oc`` and ``best``.

    Args:
        net: Such as ``"baseline"`` or ``"net1"``; a network that is not the study's has none.
    """
    folder = f"train/{net}/"
    return {name.removeprefix(folder): table(name) for name in KEYS if name.startswith(folder)}


def printed_class_accuracy() -> pd.DataFrame:
    """The study's table 1 as it printed it: of 316 test images, and so unlike its matrices.

    Returns:
        class, before_percent, after_percent and drop_points; the last row, "overall", is of all
        10,000 images.
    """
    ablation = study()["filter_ablation"]
    rows = {**ablation["class_accuracy_percent"], "overall": ablation["overall_accuracy_percent"]}
    return _with_drop(
        pd.DataFrame(
            {
                "class": list(rows),
                "before_percent": [float(row["before"]) for row in rows.values()],
                "after_percent": [float(row["after"]) for row in rows.values()],
            }
        )
    )


def _best_of_nets() -> pd.DataFrame:
    return pd.DataFrame([{"net": net, **study()[net]["best"]} for net in NETS])


def _overfit_above() -> pd.DataFrame:
    name = "mean_overfit_percent_where_test_accuracy_above_"
    ((key, overfit),) = ((k, v) for k, v in study()["net4"].items() if k.startswith(name))
    above = float(key.removeprefix(name))
    return pd.DataFrame({"test_accuracy_above": [above], "overfit_percent": [overfit]})


def _matrix(when: str) -> pd.DataFrame:
    """A confusion matrix without names: rows true, columns predicted classes."""
    return pd.DataFrame(study()["filter_ablation"][f"confusion_{when}"])


def _confusion(cells: pd.DataFrame) -> pd.DataFrame:
    """A confusion matrix as our files have it, with the true class in front."""
    named = cells.set_axis(study()["classes"], axis="columns")
    named.insert(0, "true", study()["classes"])
    return named


def _class_accuracy() -> pd.DataFrame:
    columns: dict[str, list[object]] = {"class": [*study()["classes"], "overall"]}
    for when in ("before", "after"):
        cells = _matrix(when).to_numpy()
        right, images = cells.diagonal().tolist(), cells.sum(axis=1).tolist()
        shares = [100 * r / n for r, n in zip(right, images, strict=True)]
        columns[f"{when}_percent"] = [*shares, 100 * sum(right) / sum(images)]
    return _with_drop(pd.DataFrame(columns))


def _with_drop(accuracies: pd.DataFrame) -> pd.DataFrame:
    lost = accuracies["before_percent"] - accuracies["after_percent"]
    return accuracies.assign(drop_points=lost)


def _between_groups() -> pd.DataFrame:
    """Errors within and between the groups; an image of the right class is no error."""
    groups = study()["groups"]
    matrices = {when: _confusion(_matrix(when)).set_index("true") for when in ("before", "after")}
    rows = []
    for true, members in groups.items():
        for predicted, taken_for in groups.items():
            counts = {
                when: sum(
                    int(matrix.loc[member, other])
                    for member in members
                    for other in taken_for
                    if member != other
                )
                for when, matrix in matrices.items()
            }
            rows.append({"true": true, "predicted": predicted, **counts})
    return pd.DataFrame(rows)


def _filters_by_layer() -> pd.DataFrame:
    filters = study()["filter_ablation"]["filters_by_layer"]
    return pd.DataFrame({"layer": list(filters), "filters": list(filters.values())})


def _class_frequency() -> pd.DataFrame:
    frequency = study()["filter_identification"]["class_frequency_in_top_20"]
    table = pd.DataFrame(list(frequency.values()), columns=study()["classes"])
    commonest = table.idxmax(axis=1)
    table.insert(0, "filter", list(frequency))
    return table.assign(max_class=commonest)


def _responses() -> pd.DataFrame:
    block = study()["filter_identification"]
    return pd.DataFrame(
        [
            {
                "filter": name,
                "layer": name.split("/")[0],
                **response,
                "mean_per_pixel": response["mean"] / block["map_size"][name.split("/")[0]] ** 2,
                "dead": name in block["dead_filters"],
            }
            for name, response in block["response_of_top_20"].items()
        ]
    )


def _patch_sizes() -> pd.DataFrame:
    sizes = study()["filter_identification"]["patch_size"]
    return pd.DataFrame({"layer": list(sizes), "patch_size": list(sizes.values())})


_MADE: dict[str, Callable[[], pd.DataFrame]] = {
    "train/net4/overfit_above": _overfit_above,
    "evaluate/best": _best_of_nets,
    "filter-ablation/class_accuracy": _class_accuracy,
    "filter-ablation/confusion_before": lambda: _confusion(_matrix("before")),
    "filter-ablation/confusion_after": lambda: _confusion(_matrix("after")),
    "filter-ablation/confusion_difference": lambda: _confusion(
        _matrix("before") - _matrix("after")
    ),
    "filter-ablation/between_groups": _between_groups,
    "filter-ablation/atlas_by_layer": _filters_by_layer,
    "filter-identify/class_frequency": _class_frequency,
    "filter-identify/responses": _responses,
    "filter-identify/patch_sizes": _patch_sizes,
}
