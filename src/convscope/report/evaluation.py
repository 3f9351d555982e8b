"""What the report shows of the networks' best runs: their settings, protocols and selection."""

import pandas as pd

from convscope.base.report_folder import Finished
from convscope.report.text import percent
from convscope.report.training import AXES
from convscope.study import published

_BEST = ("net", "runs", "choices", "run", "epoch", "test_accuracy", "low", "high")
_LAST = ("last_accuracy", "best_less_last", "mean_best_less_last")
_SELECTED = (
    *("net", "run", "epoch", "test_accuracy", "chosen_run", "chosen_epoch", "chosen_accuracy"),
    *("chosen_low", "chosen_high", "best_less_chosen", "mean_best_less_chosen"),
)


def best_of_nets(evaluate: Finished) -> pd.DataFrame:
    """The best run of every network, without the settings that all of them share."""
    best = evaluate.filled("best", ["net"], numbers=["test_accuracy"])
    shared = {name for name in AXES if name in best and best[name].nunique(dropna=False) == 1}
    return best[[name for name in best if name not in shared]]


def best_and_last(evaluate: Finished) -> pd.DataFrame:
    """The best epoch on the test images, and the last of the same run."""
    return evaluate.filled("selection", [*_BEST, *_LAST])[[*_BEST, *_LAST]]


def has_selected(evaluate: Finished) -> bool:
    """Whether held-out images selected the epochs that are compared with the best."""
    return "chosen_accuracy" in evaluate.filled("selection")


def best_and_selected(evaluate: Finished) -> pd.DataFrame:
    """The best epoch on the test images, and the one that held-out images selected."""
    return evaluate.filled("selection", _SELECTED)[[*_SELECTED]]


def published_protocols() -> str:
    """The two of net4's accuracies that the study printed."""
    net4 = published.study()["net4"]
    best = percent(net4["best"]["test_accuracy"])
    evaluated = percent(net4["best_test_accuracy_in_evaluation_mode"])
    return (
        f"The study's net4, on augmented images: {best} in training mode and {evaluated} in "
        "evaluation mode."
    )
