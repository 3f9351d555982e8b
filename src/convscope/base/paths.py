"""Where the pipeline's files are."""

from pathlib import Path

PARAMS = Path("params.yaml")
DATASET = Path("data/dataset.safetensors")
ARCHIVES = Path("data/archives")
MODELS = Path("models")
REPORTS = Path("reports")
# what a run leaves in its folder, and a grid in its model folder
RUN = "run.json"
HISTORY = "history.csv"
WEIGHTS = "best.safetensors"
BEST = "best.json"
BASELINE_GRID = REPORTS / "baseline" / "grid"


def models_of(net: str) -> Path:
    """The model folder of a network's grid."""
    return BASELINE_GRID if net == "baseline" else MODELS / net


def report_of(net: str) -> Path:
    """The report folder of a network's grid."""
    return REPORTS / "baseline" if net == "baseline" else REPORTS / "train" / net
