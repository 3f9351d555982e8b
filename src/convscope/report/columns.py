"""What the columns of the pipeline's tables mean: a heading, and how their values are printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

NOTHING = "–"  # noqa: RUF001 - a dash is how a table says "no value"
SPREAD, PUBLISHED, DIFFERENCE = "_std", "_published", "_difference"


@dataclass(frozen=True)
class Kind:
    """How values are printed, and whether they are numbers.

    Attributes:
        form: A format string for the value.
        scale: What a value is multiplied by first.
        least: Of a smaller number, only that it is smaller is printed.
        numeric: Whether it sorts as a number.
    """

    form: str
    scale: float = 1
    least: float | None = None
    numeric: bool = True

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
COUNT = Kind("{:,.0f}")
SHARE = Kind("{:.2f}%", scale=100)
PERCENT = Kind("{:.2f}%")
POINTS = Kind("{:z.2f}")
LOSS = Kind("{:.4f}")
PROBABILITY = Kind("{:.3f}")
RESPONSE = Kind("{:z,.2f}")
P_VALUE = Kind("{:.3f}", least=0.001)
# measured minus published: of shares in points
_DIFFERENCES = {
    SHARE: Kind("{:+z.2f}", scale=100),
    PERCENT: Kind("{:+z.2f}"),
    COUNT: Kind("{:+,.0f}"),
    LOSS: Kind("{:+z.4f}"),
}
_OTHER_DIFFERENCE = Kind("{:+z,.2f}")
CHANGE = _DIFFERENCES[COUNT]
# a column's name -> its heading and kind
Headings = Mapping[str, tuple[str, Kind]]

_KNOWN: dict[str, tuple[str, Kind]] = {
    "accuracy": ("Accuracy", SHARE),
    "adjusted_p_value": ("Adjusted p-value", P_VALUE),
    "after": ("After", COUNT),
    "after_percent": ("After", PERCENT),
    "batch_size": ("Batch size", COUNT),
    "before": ("Before", COUNT),
    "before_percent": ("Before", PERCENT),
    "best_less_chosen": ("Best minus selected (points)", POINTS),
    "best_less_last": ("Best minus last (points)", POINTS),
    "central_share": ("Near the center", SHARE),
    "chance_distance": ("Distance by chance (pixels)", POINTS),
    "chance_share": ("Near the center by chance", SHARE),
    "choices": ("Runs × epochs", COUNT),  # noqa: RUF001
    "chosen_accuracy": ("Selected epoch's", SHARE),
    "chosen_epoch": ("Selected epoch", COUNT),
    "chosen_high": ("95% high", SHARE),
    "chosen_low": ("95% low", SHARE),
    "chosen_run": ("Selected run", COUNT),
    "class": ("Class", TEXT),
    "clean_confidence": ("Without a window", PROBABILITY),
    "confidence": ("Confidence", PROBABILITY),
    "dead": ("Dead", TEXT),
    "deepest_drop": ("Deepest drop", PROBABILITY),
    "difference_points": ("Difference (points)", POINTS),
    "drop_percent": ("Drop (points)", POINTS),
    "drop_points": ("Drop (points)", POINTS),
    "dropout_rate": ("Dropout rate", AS_IS),
    "epoch": ("Epoch", COUNT),
    "epoch_seconds": ("Seconds of an epoch", AS_IS),
    "epochs": ("Epochs", COUNT),
    "filter": ("Filter", TEXT),
    "filter_multiplier": ("Filter multiplier", AS_IS),
    "filters": ("Filters", COUNT),
    "gained": ("Images gained", COUNT),
    "half": ("Half", TEXT),
    "high": ("95% high", SHARE),
    "image": ("Image", AS_IS),
    "images": ("Images", COUNT),
    "kernel_size": ("Kernel size", COUNT),
    "l1_oc": ("l1_oc", COUNT),
    "last_accuracy": ("Last epoch's", SHARE),
    "layer": ("Layer", TEXT),
    "layer_drop_percent": ("Drops of a layer's filters added up, mean of layers (points)", POINTS),
    "layers": ("Layers", TEXT),
    "loss": ("Loss", LOSS),
    "lost": ("Images lost", COUNT),
    "low": ("95% low", SHARE),
    "lr": ("Learning rate", AS_IS),
    "map_size": ("Side of the map (pixels)", COUNT),
    "max": ("Largest response", RESPONSE),
    "max_class": ("Commonest class", TEXT),
    "max_drop_percent": ("Largest drop (points)", POINTS),
    "max_filter": ("Of filter", COUNT),
    "mean": ("Mean response", RESPONSE),
    "mean_best_less_chosen": ("Mean of all runs (points)", POINTS),
    "mean_best_less_last": ("Mean of all runs (points)", POINTS),
    "mean_confidence": ("Mean confidence", PROBABILITY),
    "mean_distance": ("Distance from the center (pixels)", POINTS),
    "mean_per_pixel": ("Mean response per pixel of the map", PROBABILITY),
    "mean_drop_percent": ("Mean drop (points)", POINTS),
    "median_drop_percent": ("Median drop (points)", POINTS),
    "min_confidence": ("Lowest confidence", PROBABILITY),
    "momentum": ("Momentum", AS_IS),
    "net": ("Net", TEXT),
    "only_first": ("Only the first right", COUNT),
    "only_second": ("Only the other right", COUNT),
    "other": ("Other net", TEXT),
    "overfit_percent": ("Overfit (points)", POINTS),
    "p_value": ("p-value", P_VALUE),
    "parameters": ("Parameters", COUNT),
    "patch_size": ("Patch size (pixels)", COUNT),
    "predicted": ("Predicted", TEXT),
    "protocol": ("Protocol", TEXT),
    "rank": ("Rank", COUNT),
    "receptive_field": ("Receptive field (pixels)", COUNT),
    "run": ("Run", COUNT),
    "run_seconds": ("Seconds of the run until then", AS_IS),
    "runs": ("Runs", COUNT),
    "sampled_accuracy": ("Accuracy, sampled", SHARE),
    "sampled_images": ("Images, sampled", COUNT),
    "seed": ("Seed", AS_IS),
    "serves": ("Classes that lose most (points)", TEXT),
    "standard_error": ("Standard error (pixels)", POINTS),
    "stride": ("Stride", COUNT),
    "sum_drop_percent": ("Drops added up (points)", POINTS),
    "test": ("Test images", COUNT),
    "test_accuracy": ("Test accuracy", SHARE),
    "test_accuracy_above": ("Test accuracy above", SHARE),
    "total_parameters": ("Parameters", COUNT),
    "train": ("Training images", COUNT),
    "train_accuracy": ("Train accuracy", SHARE),
    "true": ("True class", TEXT),
    "validation_accuracy": ("Validation accuracy", SHARE),
    "what": ("What it is", TEXT),
    "width": ("Features (channels)", COUNT),
    "window": ("Window (pixels)", COUNT),
}


def known(name: str) -> tuple[str, Kind]:
    """The heading and the kind of a column.

    Args:
        name: Its name in the file, or with one of the endings ``SPREAD``, ``PUBLISHED`` and
            ``DIFFERENCE`` for what is shown next to it.

    Returns:
        For a name that no stage is known to write, the name itself, as text.
    """
    if name.endswith(PUBLISHED):
        label, kind = known(name.removesuffix(PUBLISHED))
        return f"{label}, published", kind
    if name.endswith(DIFFERENCE):
        label, kind = known(name.removesuffix(DIFFERENCE))
        unit = " (points)" if kind in (SHARE, PERCENT) else ""
        return f"{label}, difference{unit}", _DIFFERENCES.get(kind, _OTHER_DIFFERENCE)
    base = name.removesuffix(SPREAD)
    label, kind = _KNOWN.get(base, (name, TEXT))
    return (f"± {label.lower()}" if base != name else label), kind


def of_classes(frame: pd.DataFrame, kind: Kind) -> Headings:
    """Headings and kind of the columns that are named after classes or networks: all but the first.

    The commonest class, where a table has it last, is no class's column.
    """
    return {name: (name, kind) for name in frame.columns[1:] if name != "max_class"}
