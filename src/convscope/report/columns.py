"""What the columns of the pipeline's tables mean: a heading, and how their values are printed."""

from collections.abc import Callable
from dataclasses import dataclass

NOTHING = "–"  # noqa: RUF001 - a dash is how a table says "no value"


@dataclass(frozen=True)
class Kind:
    """How values are printed, and whether they sort as numbers."""

    form: Callable[[str], str]
    numeric: bool = True

    def show(self, value: str) -> str:
        """A value of a CSV file as a reader sees it; a missing one as a dash.

        Raises:
            ValueError: The value is no number though the kind is.
        """
        return self.form(value) if value else NOTHING


def percent(share: float) -> str:
    """A share in [0, 1] as percent, two decimals."""
    return f"{100 * share:.2f}%"


def count(number: float) -> str:
    """A whole number, or the mean of some, with thousands separators."""
    return f"{number:,.0f}"


def taken(found: int, wanted: object) -> str:
    """How many test images something was made of, where a parameter asked for so many.

    Args:
        found: The images that were there.
        wanted: The parameter's value.
    """
    images = f"{count(found)} test image{'' if found == 1 else 's'}"
    if isinstance(wanted, int) and found < wanted:
        return f"{images} (all there are of the {count(wanted)} asked for)"
    return images


def _p_value(value: str) -> str:
    """A p-value; of a tiny one only that it is."""
    return "< 0.001" if float(value) < 0.001 else f"{float(value):.3f}"


TEXT = Kind(str, numeric=False)
AS_IS = Kind(str)
COUNT = Kind(lambda value: count(float(value)))
CHANGE = Kind(lambda value: f"{float(value):+,.0f}")
SHARE = Kind(lambda value: percent(float(value)))
PERCENT = Kind(lambda value: percent(float(value) / 100))
POINTS = Kind(lambda value: f"{float(value):z.2f}")
LOSS = Kind(lambda value: f"{float(value):.4f}")
PROBABILITY = Kind(lambda value: f"{float(value):.3f}")
RESPONSE = Kind(lambda value: f"{float(value):z,.2f}")
P_VALUE = Kind(_p_value)
PIXELS = Kind(lambda value: f"{float(value):z.2f}")
FLAG = Kind(lambda value: "yes" if value == "True" else "no", numeric=False)

_SPREAD = "_std"
_KNOWN: dict[str, tuple[str, Kind]] = {
    "accuracy": ("Accuracy", SHARE),
    "adjusted_p_value": ("Adjusted p-value", P_VALUE),
    "after": ("After", COUNT),
    "after_percent": ("After", PERCENT),
    "batch_size": ("Batch size", COUNT),
    "before": ("Before", COUNT),
    "before_percent": ("Before", PERCENT),
    "best_less_chosen": ("Best minus chosen (points)", POINTS),
    "best_less_last": ("Best minus last (points)", POINTS),
    "central_share": ("Near the center", SHARE),
    "chance_distance": ("Distance by chance (pixels)", PIXELS),
    "chance_share": ("Near the center by chance", SHARE),
    "choices": ("Runs × epochs", COUNT),  # noqa: RUF001
    "chosen_accuracy": ("Chosen epoch's", SHARE),
    "chosen_epoch": ("Chosen epoch", COUNT),
    "chosen_high": ("95% high", SHARE),
    "chosen_low": ("95% low", SHARE),
    "chosen_run": ("Chosen run", COUNT),
    "class": ("Class", TEXT),
    "clean_confidence": ("Without a window", PROBABILITY),
    "confidence": ("Confidence", PROBABILITY),
    "dead": ("Dead", FLAG),
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
    "max_filter": ("Of filter", AS_IS),
    "mean": ("Mean response", RESPONSE),
    "mean_best_less_chosen": ("Mean of all runs (points)", POINTS),
    "mean_best_less_last": ("Mean of all runs (points)", POINTS),
    "mean_confidence": ("Mean confidence", PROBABILITY),
    "mean_distance": ("Distance from the center (pixels)", PIXELS),
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
    "standard_error": ("Standard error (pixels)", PIXELS),
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
        name: Its name in the file. ``<name>_std`` is a spread of what ``name`` measures.

    Returns:
        For a name that no stage is known to write, the name itself, as text.
    """
    base = name.removesuffix(_SPREAD)
    label, kind = _KNOWN.get(base, (name, TEXT))
    return (f"± {label.lower()}" if base != name else label), kind


def difference(name: str) -> tuple[str, Kind]:
    """The heading's ending and the kind of a measured minus a published value of a column.

    Args:
        name: The column's name in the file.
    """
    kind = known(name)[1]
    if kind is SHARE:
        return "difference (points)", Kind(lambda value: f"{100 * float(value):+z.2f}")
    if kind is PERCENT:
        return "difference (points)", Kind(lambda value: f"{float(value):+z.2f}")
    if kind is COUNT:
        return "difference", CHANGE
    if kind is LOSS:
        return "difference", Kind(lambda value: f"{float(value):+z.4f}")
    return "difference", Kind(lambda value: f"{float(value):+z,.2f}")
