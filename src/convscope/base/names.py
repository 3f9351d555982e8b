"""Names that rooms share, and their order."""

import re

# environment variables: how a stage runs, never what it computes
DEVICE = "CONVSCOPE_DEVICE"
WORKERS = "CONVSCOPE_WORKERS"
CUDA_GRAPHS = "CONVSCOPE_CUDA_GRAPHS"
CLUSTER = "CONVSCOPE_CLUSTER"

# the axes of a grid, in the order in which the study counts its runs: the last changes fastest
AXES = (
    "lr",
    "batch_size",
    "momentum",
    "l1_oc",
    "filter_multiplier",
    "kernel_size",
    "stride",
    "dropout_rate",
)
# those that a network is built of
SHAPE_AXES = AXES[3:]
# what tells a run of a grid from the others
POINT = (*AXES, "seed")
# the key of a point that says how many classes the data set has, where they are not ten
CLASSES = "classes"

# the ways to test a network, as protocols.csv names them
CLEAN = "clean images, evaluation mode"
AUGMENTED = "augmented images, evaluation mode"
STUDY = "augmented images, training mode"

# the columns of history.csv that are measured the last way, where a grid's images are augmented
STUDY_ACCURACY, STUDY_OVERFIT = "study_accuracy", "study_overfit_percent"
STUDY_MEASURED = (STUDY_ACCURACY, STUDY_OVERFIT)


def natural(name: str) -> list[str | int]:
    """A key that sorts names as people do: net2 before net10."""
    pieces = re.split(r"(\d+)", name)
    return [int(piece) if piece.isdecimal() else piece for piece in pieces]
