"""What the columns of the pipeline's tables mean: a heading, and how their values are printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

NOTHING = "–"  # noqa: RUF001 - a dash is how a table says "no value"
# how the names of columns end that are shown next to others
SPREAD, PUBLISHED, DIFFERENCE = "_std", "_published", "_difference"


@dataclass(frozen=True)
class Kind:
    """How values are printed, and whether they are numbers."""

    form: str
    scale: float = 1
    least: float | None = None  # of a smaller number, only that it is smaller is printed
    numeric: bool = True
    change: str = "{:+z,.2f}"  # the form of a difference: of shares it is in points

    @property
    def difference(self) -> "Kind":
        """How differences of such values are printed."""
        return Kind(self.change, self.scale)

    def show(self, value: Any) -> str:
        """A value of a table as a reader sees it; a missing one as a dash.

        Raises:
            ValueError: The value is not a number though the kind is.
        """
        if value is None or pd.isna(value):
            return NOTHING
        if isinstance(value, bool) and not self.numeric:
            return "yes" if value else "no"
        if self.least is not None and value < self.least:
            return f"< {self.least:g}"
        return self.form.format(value * self.scale if self.scale != 1 else value)


TEXT = Kind("{}", numeric=False)
AS_IS = Kind("{}")
COUNT = Kind("{:,.0f}", change="{:+,.0f}")
SHARE = Kind("{:.2f}%", scale=100)
PERCENT = Kind("{:.2f}%")
POINTS = Kind("{:z.2f}")
LOSS = Kind("{:.4f}", change="{:+z.4f}")
PROBABILITY = Kind("{:.3f}")
RESPONSE = Kind("{:z,.2f}")
P_VALUE = Kind("{:.3f}", least=0.001)
# a column's name -> its heading and kind
Headings = Mapping[str, tuple[str, Kind]]

_NAMES = {
    AS_IS: "dropout_rate epoch_seconds filter_multiplier image lr momentum run_seconds seed",
    COUNT: """
        after batch_size before choices chosen_epoch chosen_run crop_size dead_filters epoch epochs
        filters gained images kernel_size l1_oc lost map_size max_filter only_first only_second
        parameters patch_size positions rank receptive_field run runs sampled_images stride
        study_epochs test total_parameters train width window
    """,
    LOSS: "loss",
    P_VALUE: "adjusted_p_value p_value",
    PERCENT: "after_percent averaged_percent before_percent zeroed_percent",
    POINTS: """
        averaged_drop_points best_less_chosen best_less_last chance_distance clean_gap_points
        difference_points drop_percent drop_points gain_points layer_drop_percent max_drop_percent
        mean_best_less_chosen mean_best_less_last mean_distance mean_drop_percent
        median_drop_percent overfit_percent standard_error study_overfit_percent sum_drop_percent
        zeroed_drop_points
    """,
    PROBABILITY: """
        clean_confidence confidence deepest_drop mean_confidence mean_per_pixel min_confidence
    """,
    RESPONSE: "max mean sum_confidence unchanged_sum",
    SHARE: """
        accuracy agree_by_chance agree_share best_study_accuracy central_share chance_share
        chosen_accuracy chosen_high chosen_low high last_accuracy low sampled_accuracy
        study_accuracy test_accuracy test_accuracy_above top_zero_share train_accuracy
        train_accuracy_clean validation_accuracy with without zero_share
    """,
    TEXT: """
        class dead departure filter half layer layers max_class net other predicted protocol serves
        true what
    """,
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# headings of columns whose names alone do not tell a reader
_HEADINGS = {
    "adjusted_p_value": "Adjusted p-value",
    "agree_by_chance": "They would by chance",
    "agree_share": "Both ways agree",
    "averaged_drop_points": "Drop at their means (points)",
    "averaged_percent": "At their means",
    "best_less_chosen": "Best minus selected (points)",
    "best_less_last": "Best minus last (points)",
    "best_study_accuracy": "Highest, the study's way",
    "central_share": "Near the center",
    "chance_distance": "Distance by chance (pixels)",
    "chance_share": "Near the center by chance",
    "choices": "Runs × epochs",  # noqa: RUF001
    "chosen_accuracy": "Selected epoch's",
    "chosen_epoch": "Selected epoch",
    "chosen_high": "95% high",
    "chosen_low": "95% low",
    "chosen_run": "Selected run",
    "clean_confidence": "Without a window",
    "clean_gap_points": "Gap on clean images (points)",
    "crop_size": "Crop (pixels)",
    "epoch_seconds": "Seconds of an epoch",
    "departure": "What the study's code does",
    "gain_points": "Gained by it (points)",
    "gained": "Images gained",
    "high": "95% high",
    "l1_oc": "l1_oc",
    "last_accuracy": "Last epoch's",
    "layer_drop_percent": "Drops of a layer's filters added up, mean of layers (points)",
    "lost": "Images lost",
    "low": "95% low",
    "lr": "Learning rate",
    "map_size": "Side of the map (pixels)",
    "max": "Largest response",
    "max_class": "Commonest class",
    "max_drop_percent": "Largest drop (points)",
    "max_filter": "Of filter",
    "mean": "Mean response",
    "mean_best_less_chosen": "Mean of all runs (points)",
    "mean_best_less_last": "Mean of all runs (points)",
    "mean_distance": "Distance from the center (pixels)",
    "mean_per_pixel": "Mean response per pixel of the map",
    "min_confidence": "Lowest confidence",
    "only_first": "Only the first right",
    "only_second": "Only the other right",
    "other": "Other net",
    "p_value": "p-value",
    "patch_size": "Patch size (pixels)",
    "positions": "Pixels of a map",
    "receptive_field": "Receptive field (pixels)",
    "run_seconds": "Seconds of the run until then",
    "sampled_accuracy": "Accuracy, sampled",
    "sampled_images": "Images, sampled",
    "serves": "Classes that lose most (points)",
    "standard_error": "Standard error (pixels)",
    "study_accuracy": "Test accuracy, the study's way",
    "study_epochs": "Epochs, the study's way",
    "study_overfit_percent": "Overfit, the study's way (points)",
    "sum_confidence": "Confidence, summed",
    "sum_drop_percent": "Drops added up (points)",
    "test": "Test images",
    "top_zero_share": "Zeros, top images",
    "total_parameters": "Parameters",
    "train": "Training images",
    "train_accuracy_clean": "Train accuracy, clean images",
    "true": "True class",
    "unchanged_sum": "Sum if the window took nothing",
    "what": "What it is",
    "width": "Features (channels)",
    "window": "Window (pixels)",
    "with": "Accuracy with it",
    "without": "Accuracy without",
    "zero_share": "Zeros, all images",
    "zeroed_drop_points": "Drop at zero (points)",
    "zeroed_percent": "At zero",
}


def known(name: str) -> tuple[str, Kind]:
    """The heading and the kind of a column; of a name that no stage writes, itself, as text."""
    if name.endswith(PUBLISHED):
        label, kind = known(name.removesuffix(PUBLISHED))
        return f"{label}, published", kind
    if name.endswith(DIFFERENCE):
        label, kind = known(name.removesuffix(DIFFERENCE))
        unit = " (points)" if kind in (SHARE, PERCENT) else ""
        return f"{label}, difference{unit}", kind.difference
    base = name.removesuffix(SPREAD)
    if base not in _KINDS:
        return name, TEXT
    kind = _KINDS[base]
    words = base.removesuffix("_percent").removesuffix("_points").replace("_", " ").capitalize()
    label = _HEADINGS.get(base, f"{words} (points)" if kind is POINTS else words)
    return (f"± {label.lower()}" if base != name else label), kind


def of_classes(frame: pd.DataFrame, kind: Kind) -> Headings:
    """Headings and kind of the columns that are named after classes or networks."""
    return {name: (name, kind) for name in frame.columns[1:] if name != "max_class"}
