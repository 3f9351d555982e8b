"""The axes of a network's grid."""

# the order in which the study counts its runs, the last key changing fastest
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
