"""Two sentences about a run with its headline numbers, which MLflow shows above all else."""

from collections.abc import Mapping
from typing import Any

from convscope.tracking.records import REPORT_STAGE, numbers

EXPERIMENT = (
    "A published study of convolutional networks, rerun: a run for each stage, and below that of a "
    "grid a run for each of its points."
)
_OF_STAGES = {
    "download": "The data set that all other stages use. {train_images:,.0f} training and "
    "{test_images:,.0f} test images.",
    "occlusion": "Gray windows slid over test images of the best {net}. Its mean confidence in "
    "the true class is {clean_confidence:.3f} without a window{under_the_largest}.",
    "filter-ablation": "The best {net} with filters at zero, some together and each alone. With "
    "{zeroed} at zero the test accuracy goes from {accuracy_before:.2%} to {accuracy_after:.2%}, "
    "and {newly_misclassified:,.0f} more images are taken for another class.",
    "filter-identify": "What single filters of the best {net} respond to. Of {filters:,.0f} "
    "filters that were looked at, {dead_filters:,.0f} respond to no test image.",
    "explore": "The best {net}, live on a page: reports/explore.html. It shows {images:,.0f} "
    "images.",
    REPORT_STAGE: "The study's page, and its findings judged by what was measured. {held:,.0f} "
    "hold, {failed:,.0f} do not, and {unmeasured:,.0f} were not measured.",
}


def of_stage(stage: str, params: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The description of a stage that trains nothing, from its params.json and metrics.json."""
    known = numbers(metrics)
    if stage == "evaluate":
        listed = _listed(accuracies(known))
        return f"The best run of each network on all test images. Accuracies: {listed}."
    text = {
        "net": params.get("analysis", {}).get("net", "network"),
        "under_the_largest": _under_the_largest(metrics),
        "zeroed": _zeroed(params.get("filter_ablation", {})),
    }
    try:
        return _OF_STAGES[stage].format(**known, **text)
    except KeyError:  # of a stage that was added, or results of another version
        listed = ", ".join(f"{key} {value:g}" for key, value in known.items())
        return f"The stage {stage}." + (f" It measured {listed}." if listed else "")


def of_grid(net: str, runs: int, params: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    """The description of a training stage, from its params.json and best.json."""
    varied = [
        f"{name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in params.get("net", {}).items()
        if isinstance(values, list) and len(values) > 1
    ]
    over = f" over {'; '.join(varied)}" if varied else ""
    first = f"The grid of {net}{over}: {runs} {'run' if runs == 1 else 'runs'}."
    return f"{first} {_best('The best run', best)}"


def of_point(run: Mapping[str, Any]) -> str:
    """The description of one run of a grid, from its run.json."""
    named = ", ".join(f"{key} {value:g}" for key, value in numbers(run.get("point", {})).items())
    epochs = run.get("settings", {}).get("epochs")
    trained = f", trained for {epochs} epochs" if epochs else ""
    return f"A run of {run.get('net')} with {named}{trained}. {_best('It', run)}"


def of_experiment(metrics: Mapping[str, float], data: str) -> str:
    """The description of an experiment, from the metrics of stage evaluate, and the data's name."""
    listed = _listed(accuracies(metrics))
    return f"{EXPERIMENT} The accuracies published last, on {data}: {listed}."


def accuracies(metrics: Mapping[str, float]) -> dict[str, float]:
    """Test accuracies by network among the metrics of stage evaluate, in a section or not."""
    end = "_test_accuracy"
    named = {key.rpartition("/")[2]: value for key, value in metrics.items()}
    return {key.removesuffix(end): value for key, value in named.items() if key.endswith(end)}


def _best(who: str, run: Mapping[str, Any]) -> str:
    best = numbers(run.get("best", {}))
    if not {"epoch", "test_accuracy"} <= best.keys():
        return ""
    said = f"{who} is right on {best['test_accuracy']:.2%} of the test images after epoch "
    said += f"{best['epoch']:.0f}"
    size = run.get("total_parameters")
    return f"{said}, with {size:,} parameters." if isinstance(size, int) else f"{said}."


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2%}" for name, value in values.items())


def _under_the_largest(metrics: Mapping[str, Any]) -> str:
    if not (windows := window_confidences(metrics)):
        return ""
    return f", and {windows[max(windows)]:.3f} under one of {max(windows)} pixels a side"


def window_confidences(metrics: Mapping[str, Any]) -> dict[int, float]:
    """Mean confidences by window size, in the metrics.json of stage occlusion."""
    found = {key.removeprefix("confidence_"): value for key, value in numbers(metrics).items()}
    return {int(size): value for size, value in found.items() if size.isdecimal()}


def _zeroed(params: Mapping[str, Any]) -> str:
    filters = params.get("filters", {})
    return f"{sum(map(len, filters.values()))} filters" if filters else "some filters"
