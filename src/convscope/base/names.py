"""Names that rooms share: what one writes into a file and another looks for there."""

# the ways to test a network, as protocols.csv names them
CLEAN = "clean images, evaluation mode"
AUGMENTED = "augmented images, evaluation mode"
STUDY = "augmented images, training mode"
