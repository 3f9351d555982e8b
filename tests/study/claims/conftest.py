import shutil

import pytest

from convscope.study import claims, published
from tests.study.claims import folders
from tests.study.claims.occlusion import CLASSES, counts, surveyed

# the study prints no such tables
UNPRINTED = {
    "occlusion/fall_with_window": surveyed(cat=0.3, car=0.6),
    **counts(*CLASSES),
    "occlusion/by_image": "image,clean_confidence,deepest_drop\n1,0.99,0.95\n2,0.98,0.05",
    "occlusion/deepest_by_window": (
        "window,mean_distance,chance_distance,standard_error\n3,8,12,0.7\n13,6,7.5,0.5"
    ),
    "occlusion/by_window_sums": "window,sum_confidence,unchanged_sum\n3,800,900\n13,200,400",
    "filter-identify/sparsity": "layer,zero_share,top_zero_share\nconv1,0.4,0.3\nconv5,0.8,0.6",
    "filter-identify/brightness": "filter,correlation,cosine\nconv1/0,0.998,0.95",
    "filter-identify/brightness_by_chance": "chance_highest,p_value\n0.97,0.02",
    "filter-ablation/random_sets": (
        "set,filters,drop_points,vehicles_as_animals,animals_as_vehicles,vehicles_drop_points,"
        "animals_drop_points,cat_dog_mixed_up\n1,conv1/3,2.92,348,34,6,1,186"
    ),
    "filter-identify/dead_by_layer": "layer,filters,dead_filters\n"
    + "\n".join(f"conv{i},{filters},40" for i, filters in enumerate((64, 64, 128, 256, 256), 1)),
    "train/net4/runs": "dropout_rate,test_accuracy\n0.3,0.8874\n0.5,0.88",
    "evaluate/protocols": (
        'net,protocol,accuracy\nnet4,"augmented images, training mode",0.8874\n'
        'net4,"augmented images, evaluation mode",0.8986'
    ),
}


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """What the pipeline would leave if it measured just what the study did; only to be read."""
    reports = tmp_path_factory.mktemp("study") / "reports"
    tables = {name: published.table(name).to_csv(index=False).strip() for name in published.KEYS}
    params = {
        "occlusion/params": folders.NET4,
        "filter-identify/params": folders.TOP_20,
        "filter-ablation/params": {**folders.NET4, "filter_ablation": {"filters": folders.ABLATED}},
        "download/dataset": {"name": "cifar10"},
    }
    folders.write(reports, {**folders.in_both_ways({**tables, **UNPRINTED}), **params})
    return reports


@pytest.fixture(scope="session")
def judged(untouched):
    return claims.judge(untouched)


@pytest.fixture
def study(untouched, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(untouched, tmp_path / "reports")
