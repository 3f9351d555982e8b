"""The study's tables of each network: functions of its history.csv alone."""

from collections.abc import Mapping, Sequence

import pandas as pd

from convscope.base.names import CLASSES, POINT, STUDY_ACCURACY, STUDY_MEASURED, STUDY_OVERFIT

# the study's tables "by X" (study.yaml); other networks get one by epoch and by each axis
STUDY = {
    "baseline": (("lr", "batch_size"),),
    "net1": (("l1_oc", "filter_multiplier"), ("kernel_size", "stride"), ("kernel_size",)),
    "net2": (("epoch",), ("l1_oc",), ("kernel_size",)),
    "net3": (("dropout_rate",), ("l1_oc",)),
    "net4": (("dropout_rate",),),
}
# the accuracy above which the study gives net4's mean overfit
HIGH_ACCURACY = 0.88
MEASURED = ("loss", "train_accuracy", "test_accuracy", "overfit_percent")


def of_net(net: str, history: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of a network's history.csv.

    Returns:
        Names such as ``by_kernel_size_stride`` to tables (see ``mean_by``), and ``best``,
        one row: the (run, epoch) with the highest test accuracy; and ``runs``. Net4 also gets
        ``overfit_above``, see there. Where the history has study_accuracy, ``best_study`` is the
        row with the highest of that, and the tables have the ``STUDY_MEASURED`` too. Where the
        history holds several seeds, ``seeds_by_X``, ``seeds_best`` and ``seeds_best_study`` have
        the same of each seed alone, with a column seed.
    """
    varied = [(key,) for key in POINT if key != "seed" and history[key].nunique() > 1]
    keys = STUDY.get(net, (("epoch",), *varied))
    tables = {f"by_{'_'.join(by)}": mean_by(history, by) for by in keys}
    measured = history.drop(columns=CLASSES, errors="ignore")
    tables["best"] = best_row(measured)
    if STUDY_ACCURACY in measured:
        tables["best_study"] = best_row(measured, STUDY_ACCURACY)
    tables["runs"] = runs(measured)
    if net == "net4":
        tables["overfit_above"] = overfit_above(history)
    if measured["seed"].nunique() > 1:
        tables |= {f"seeds_by_{'_'.join(by)}": mean_by(history, [*by, "seed"]) for by in keys}
        tables["seeds_best"] = _best_rows(measured, "test_accuracy")
        if STUDY_ACCURACY in measured:
            tables["seeds_best_study"] = _best_rows(measured, STUDY_ACCURACY)
    return tables


def runs(history: pd.DataFrame) -> pd.DataFrame:
    """Every run of the grid, in its order.

    Returns:
        A row a run: its point; the epoch with its highest test_accuracy, that accuracy and the
        overfit_percent there; last_accuracy, the test accuracy of its last epoch; and
        total_parameters. Where the history has study_accuracy, both of the ``STUDY_MEASURED`` at
        that epoch, and best_study_accuracy, the highest of all its epochs.
    """
    by_run = history.sort_values("epoch").groupby("run", sort=True)
    best = history.loc[by_run["test_accuracy"].idxmax()].set_index("run", drop=False)
    best = best.assign(last_accuracy=by_run["test_accuracy"].last())
    measured = ["test_accuracy", "last_accuracy", "overfit_percent"]
    if STUDY_ACCURACY in history:
        best = best.assign(best_study_accuracy=by_run[STUDY_ACCURACY].max())
        measured += [STUDY_ACCURACY, "best_study_accuracy", STUDY_OVERFIT]
    shown = ["run", *POINT, "epoch", *measured, "total_parameters"]
    return best[shown].reset_index(drop=True)


def overfit_above(history: pd.DataFrame) -> pd.DataFrame:
    """How much the epochs overfit whose test accuracy is high (study, analysis of net 4).

    Returns:
        One row: ``test_accuracy_above``, ``HIGH_ACCURACY``; ``epochs``, the number of epochs of all
        runs that exceed it; ``overfit_percent``, their mean, missing where there are none. Where
        the history has study_accuracy, ``study_epochs``, those whose study_accuracy exceeds it, and
        ``study_overfit_percent``, the mean of that in these.
    """
    ways = {"epochs": ("test_accuracy", "overfit_percent"), "study_epochs": STUDY_MEASURED}
    row: dict[str, float] = {"test_accuracy_above": HIGH_ACCURACY}
    for epochs, (accuracy, overfit) in ways.items():
        if accuracy in history:
            high = history.loc[history[accuracy] > HIGH_ACCURACY, overfit]
            row |= {epochs: len(high), overfit: high.mean()}
    return pd.DataFrame([row])


def dropout_extremes(
    history: pd.DataFrame, point: Mapping[str, float]
) -> dict[float, pd.DataFrame]:
    """The runs of a point with the least and with the most dropout, whatever the point's own rate.

    Returns:
        The two rates, lower first, each with the rows of its runs, which differ in their seed
        only; nothing where the rate does not vary.
    """
    shared = [key for key in POINT if key not in ("dropout_rate", "seed")]
    alike = history[(history[shared] == pd.Series(point)[shared]).all(axis=1)]
    rates = alike["dropout_rate"]
    extremes = (float(rates.min()), float(rates.max()))
    return {rate: alike[rates == rate] for rate in extremes} if rates.nunique() > 1 else {}


def mean_by(history: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The study's table "by keys": means over all epochs of all runs that share the keys.

    Returns:
        One row for each combination, in ascending order: the keys, then the means of loss,
        train_accuracy, test_accuracy, overfit_percent, of the ``STUDY_MEASURED`` where the history
        has them, and of total_parameters. Where the history holds several seeds that the keys do
        not tell apart, a column ``<measure>_std`` for each but the last gives the standard
        deviation of the seeds' own means.
    """
    keys = list(keys)
    measured = [name for name in (*MEASURED, *STUDY_MEASURED) if name in history]
    table = history.groupby(keys)[[*measured, "total_parameters"]].mean()
    if history["seed"].nunique() > 1 and "seed" not in keys:
        by_seed = history.groupby([*keys, "seed"])[measured].mean()
        spread = by_seed.groupby(level=list(range(len(keys)))).std()
        table = table.join(spread.add_suffix("_std"))
    return table.reset_index()


def best_row(history: pd.DataFrame, by: str = "test_accuracy") -> pd.DataFrame:
    """The single (run, epoch) with the highest accuracy, as one row; of equals the earliest."""
    return history.loc[[history[by].idxmax()]]


def _best_rows(history: pd.DataFrame, by: str) -> pd.DataFrame:
    """The same of each seed alone, in ascending order."""
    return history.loc[history.groupby("seed")[by].idxmax()]
