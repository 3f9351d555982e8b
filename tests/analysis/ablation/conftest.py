from collections import OrderedDict

import pytest
from torch import nn

from tests.toys import weighted


@pytest.fixture
def red_and_green():
    """Two 1x1 filters, r + 0.25 and g + 0.5; logits 4 r + 1, 4 g and 2 of images of 2x2 pixels."""
    conv = weighted(nn.Conv2d(3, 2, 1), [[1, 0, 0], [0, 1, 0]], [0.25, 0.5])
    sums = [[1] * 4 + [0] * 4, [0] * 4 + [1] * 4, [0] * 8]
    linear = weighted(nn.Linear(8, 3), sums, [0, -2, 2])
    return nn.Sequential(OrderedDict(conv1=conv, flatten=nn.Flatten(), fc1=linear))
