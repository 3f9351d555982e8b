"""scikit-learn's handwritten digits in the shape of CIFAR-10's images."""

import numpy as np
import numpy.typing as npt
import torch

from convscope.data.datasets import IMAGE_SHAPE, DataSet

ORIGIN = "sklearn.datasets.load_digits"
TEST_IMAGES = 360
SPLIT_SEED = 0


def read() -> DataSet:
    """The digits, enlarged to the shape of CIFAR-10's images.

    The source is the test part of UCI's "Optical Recognition of Handwritten Digits": 1,797 images
    of 8x8 pixels, 0..16. They are enlarged bilinearly, scaled to 0..255, and repeated as three
    channels. A fixed stratified split gives two parts, each in scikit-learn's order.
    """
    # scikit-learn takes a second to import, and only this function needs it
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    source = load_digits()
    labels = torch.from_numpy(source.target.astype(np.int64))
    parts = train_test_split(
        np.arange(len(labels)), test_size=TEST_IMAGES, stratify=labels, random_state=SPLIT_SEED
    )
    train, test = (torch.from_numpy(np.sort(part)) for part in parts)
    images = _enlarged(source.images)
    classes = tuple(str(name) for name in source.target_names)
    return DataSet(
        images[train], labels[train], images[test], labels[test], classes, {}, ORIGIN, md5=""
    )


def _enlarged(images: npt.NDArray[np.float64]) -> torch.Tensor:
    """(N, 8, 8) images in 0..16 as (N, 3, 32, 32) uint8."""
    small = torch.from_numpy(images).to(torch.float32).unsqueeze(1)
    # weights, products and sums are all exact in float32, so every machine gets the same bytes
    large = torch.nn.functional.interpolate(small, size=IMAGE_SHAPE[1:], mode="bilinear")
    return (large * (255 / 16)).round().to(torch.uint8).repeat(1, IMAGE_SHAPE[0], 1, 1)
