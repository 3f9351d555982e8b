import pandas as pd
import pytest

from convscope.figures import atlas, diagrams
from convscope.nets import layer_table, zoo

DROPS = pd.DataFrame({"layer": "conv1", "filter": [0, 1], "drop_percent": [0.5, -0.2]})


@pytest.mark.parametrize(
    "draw",
    [
        lambda: atlas.atlas(DROPS, [True, False], 1800),
        lambda: diagrams.network(layer_table.table(zoo.layers("net1")), "net1"),
    ],
    ids=["atlas", "network"],
)
def test_a_figure_drawn_twice_has_the_same_bytes(draw, tmp_path):
    for name in ("one.png", "other.png"):
        draw().write(tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
