from unittest.mock import Mock

import pytest
import torch
from torch import nn

from convscope.analysis.occlusion import sliding


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"),
    [
        (6, 3, 1, [0, 1, 2, 3]),
        (6, 3, 2, [0, 2]),
        (12, 4, 3, [1, 4, 7]),
        (32, 13, 4, [1, 5, 9, 13, 17]),
        (5, 5, 1, [0]),
    ],
)
def test_windows_start_equally_far_from_both_borders(size, window, stride, expected):
    assert sliding.starts_of(size, window, stride).tolist() == expected
    assert sliding.positions(size, window, stride) == len(expected) ** 2


def test_a_batch_has_neighboring_positions(monkeypatch):
    logits = Mock(wraps=sliding.patches.logits)
    monkeypatch.setattr(sliding.patches, "logits", logits)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 20 * 20, 2))
    images, labels = torch.rand(5, 3, 20, 20), torch.zeros(5, dtype=torch.int64)
    starts = torch.arange(18)
    sliding.occluded(module, images, labels, 3, starts, batch_size=200, progress=None)
    batches = [squares.corners for (_, squares), _ in logits.call_args_list]
    for corners in batches:
        assert len(corners) <= 200
        assert (corners // sliding.BLOCK == corners[0] // sliding.BLOCK).all()
    # every position once for each image
    every = torch.cat(batches).tolist()
    assert sorted(every) == sorted(torch.cartesian_prod(starts, starts).tolist() * 5)
