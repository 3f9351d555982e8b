import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from tests import toys

from convscope.data import cifar
from convscope.figures import dots, galleries, matrices, windows
from convscope.figures.names import LONGEST, drawn

WILD = (
    "cost $5_{x",
    "a$ and $b^",
    "猫",
    "犬 \N{GRINNING FACE}",
    "שלום",
    "_hidden",
    "long " * 12,
    "y" * 60,
    "\N{ZERO WIDTH SPACE}",
)


def test_names_that_can_be_written_are_as_they_are():
    for classes in (cifar.CLASSES, tuple("0123456789"), ("größe", "a" * LONGEST, "50 %")):
        assert drawn(classes) == dict(zip(classes, classes, strict=True))


def test_others_have_their_number_and_what_can_be_written():
    assert list(drawn(WILD).values()) == [
        *("cost $5_{x", "a$ and $b^", "class 3", "class 4: \N{GRINNING FACE}"),
        *("שלום", "class 6: _hidden", "class 7: long long long l…", f"class 8: {'y' * 16}…"),
        "class 9",
    ]


@pytest.mark.parametrize(
    "kind", ["samples", "pairs", "gallery", "matrix", "counts", "dots", "fall"]
)
def test_figures_write_them_without_a_warning_of_matplotlib(kind, tmp_path):
    classes, images = list(drawn(WILD).values()), toys.noise(len(WILD))
    cells, rows = torch.eye(len(WILD), dtype=torch.int64), {"class": [*classes, "all"]}
    accuracy = pd.DataFrame({**rows, "before_percent": 50.0, "after_percent": 40.0})
    fall = {**rows, "confidence": 0.5, "accuracy": 0.5}
    draw = {
        "samples": lambda: galleries.samples(images, torch.arange(len(WILD)), classes),
        "pairs": lambda: galleries.pair_gallery([(f"{n} taken for {n}", images) for n in classes]),
        "gallery": lambda: galleries.gallery(images, classes, "A title"),
        "matrix": lambda: matrices.confusion({"net1": cells}, classes, {}, "A title"),
        "counts": lambda: matrices.class_frequency(
            pd.DataFrame(np.eye(len(WILD), dtype=int), columns=classes)
        ),
        "dots": lambda: dots.before_after(accuracy),
        "fall": lambda: windows.fall_with_window(
            pd.concat(pd.DataFrame({**fall, "window": window}) for window in (3, 5))
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw[kind]().write(tmp_path / "figure.png")
