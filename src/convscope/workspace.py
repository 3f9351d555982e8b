"""Where the pipeline's files are."""

from pathlib import Path

DATASET = Path("data/dataset.safetensors")
ARCHIVES = Path("data/archives")
MODELS = Path("models")
REPORTS = Path("reports")
BASELINE_GRID = REPORTS / "baseline" / "grid"


def models_of(net: str) -> Path:
    """The model folder of a network's grid."""
    return BASELINE_GRID if net == "baseline" else MODELS / net


def report_of(net: str) -> Path:
    """The report folder of a network's grid."""
    return REPORTS / "baseline" if net == "baseline" else REPORTS / "train" / net
