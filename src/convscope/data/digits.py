"""scikit-learn's handwritten digits in the shape of CIFAR-10's images."""

import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from convscope.data.datasets import IMAGE_SHAPE, DataSet, drawn_by_class

ORIGIN = "sklearn.datasets.load_digits"
TRAIN_IMAGES, TEST_IMAGES = 1_437, 360
SPLIT_SEED = 0
_SIDE = 8


def read() -> DataSet:
    """The digits, enlarged to the shape of CIFAR-10's images.

    The source is the test part of UCI's "Optical Recognition of Handwritten Digits": 1,797 images
    of 8x8 pixels, 0..16. They are enlarged bilinearly, scaled to 0..255, and repeated as three
    channels. A fixed draw of 36 images of each digit is the test part; both parts are in
    scikit-learn's order.
    """
    rows = np.loadtxt(_file(), delimiter=",")
    images = _enlarged(rows[:, :-1].reshape(-1, _SIDE, _SIDE))
    labels = torch.from_numpy(rows[:, -1].astype(np.int64))
    tested = torch.zeros(len(labels), dtype=torch.bool)
    tested[drawn_by_class(labels, TEST_IMAGES, SPLIT_SEED)] = True
    parts = (images[~tested], labels[~tested], images[tested], labels[tested])
    return DataSet(*parts, tuple("0123456789"), {}, ORIGIN, md5="")


def _file() -> Path:
    """Where scikit-learn has them; importing it, to ask it, takes two seconds."""
    package = importlib.util.find_spec("sklearn")
    assert package is not None, "scikit-learn is required"
    assert package.origin is not None, "it is a folder of files"
    return Path(package.origin).parent / "datasets/data/digits.csv.gz"


def _enlarged(images: npt.NDArray[np.float64]) -> torch.Tensor:
    """(N, 8, 8) images in 0..16 as (N, 3, 32, 32) uint8."""
    small = torch.from_numpy(images).to(torch.float32).unsqueeze(1)
    # weights, products and sums are all exact in float32, so every machine gets the same bytes
    large = torch.nn.functional.interpolate(small, size=IMAGE_SHAPE[1:], mode="bilinear")
    return (large * (255 / 16)).round().to(torch.uint8).repeat(1, IMAGE_SHAPE[0], 1, 1)
