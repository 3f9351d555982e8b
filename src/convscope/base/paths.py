"""Where the pipeline's files are, and which stage or command makes them."""

from pathlib import Path

PARAMS = Path("params.yaml")
DATASET = Path("data/dataset.safetensors")
ARCHIVES = Path("data/archives")
MODELS = Path("models")
REPORTS = Path("reports")
# what the project keeps for itself: finished runs, locks, and what was last
KEPT = Path(".convscope")
KEPT_RUNS = KEPT / "runs"
# what a run leaves in its folder, and a grid in its model folder
RUN = "run.json"
HISTORY = "history.csv"
WEIGHTS = "best.safetensors"
BEST = "best.json"
# a run is there when the last of these is
RUN_FILES = (WEIGHTS, HISTORY, RUN)
# the one network whose stage dvc.yaml names after it
BASELINE = "baseline"
_TRAIN = "train@"


def models_of(net: str) -> Path:
    """The model folder of a network's grid."""
    return MODELS / net


def report_of(net: str) -> Path:
    """The report folder of a network's grid."""
    return REPORTS / "train" / net


def stage_of(net: str) -> str:
    """The stage that trains a network, as DVC names it: ``train@net1``, or ``baseline``."""
    return net if net == BASELINE else f"{_TRAIN}{net}"


def net_of(stage: str) -> str | None:
    """The network that a stage trains; None if it trains none."""
    if stage == BASELINE:
        return stage
    return stage.removeprefix(_TRAIN) if stage.startswith(_TRAIN) else None


def command_of(folder: str) -> str:
    """The command, such as ``train net1``, that makes a folder below reports/, or a file in it."""
    stage, *inner = folder.split("/")
    if stage != "train" or not inner:
        return stage
    return inner[0] if inner[0] == BASELINE else f"train {inner[0]}"
