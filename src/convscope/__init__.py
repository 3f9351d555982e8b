"""convscope: a published study of convolutional networks on CIFAR-10 as a reproducible pipeline."""
