"""A published study of convolutional networks on CIFAR-10, rerun; README.md shows the rooms."""
