"""The study's tables of each network: functions of its history.csv alone."""

import pandas as pd

from convscope import metrics

# the study's tables "by X" (published.yaml); other networks get one by epoch and by each axis
STUDY = {
    "baseline": (("lr", "batch_size"),),
    "net1": (("l1_oc", "filter_multiplier"), ("kernel_size", "stride"), ("kernel_size",)),
    "net2": (("epoch",), ("l1_oc",), ("kernel_size",)),
    "net3": (("dropout_rate",), ("l1_oc",)),
    "net4": (("dropout_rate",),),
}


def of_net(net: str, history: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of a network.

    Args:
        net: A key of ``nets.NETS``.
        history: Its history.csv.

    Returns:
        Names such as ``by_kernel_size_stride`` to tables (see ``metrics.mean_by``), and ``best``,
        one row: the (run, epoch) with the highest test accuracy.
    """
    varied = [(key,) for key in metrics.POINT if key != "seed" and history[key].nunique() > 1]
    keys = STUDY.get(net, (("epoch",), *varied))
    tables = {f"by_{'_'.join(by)}": metrics.mean_by(history, by) for by in keys}
    tables["best"] = metrics.best_row(history)
    return tables
