import pytest
from tests.report.document.folders import replace

from convscope.tracking.studies import study_of

PUBLISHED = """
train: {seeds: [0], precision: bf16}
nets:
  net1: {epochs: 30, lr: [0.01]}
  net2: {epochs: 30, lr: [0.01]}
occlusion: {images: 8, windows: [3, 5]}
"""
QUICK = """
defaults: [published, _self_]
train: {precision: fp32}
nets:
  net2: {epochs: 2}
"""
TRAIN = {"seeds": [0], "precision": "fp32"}


@pytest.fixture
def root(tmp_path):
    replace(tmp_path / "conf/study/published.yaml", PUBLISHED)
    replace(tmp_path / "conf/study/quick.yaml", QUICK)
    return tmp_path


@pytest.mark.parametrize(
    ("net", "params", "study"),
    [
        ("net1", {"train": TRAIN, "net": {"epochs": 30, "lr": [0.01]}}, "quick"),
        ("net2", {"train": TRAIN, "net": {"epochs": 2, "lr": [0.01]}}, "quick"),
        ("net2", {"train": TRAIN, "net": {"epochs": 30, "lr": [0.01]}}, "changed"),
        ("net2", {"train": TRAIN, "net": {"epochs": 2, "lr": [0.01, 0.1]}}, "changed"),
        (
            "net1",
            {"train": {**TRAIN, "precision": "bf16"}, "net": {"epochs": 30, "lr": [0.01]}},
            "published",
        ),
        (None, {"occlusion": {"images": 8, "windows": [3, 5]}}, "published, quick"),
        (None, {"occlusion": {"images": 9, "windows": [3, 5]}}, "changed"),
        (None, {"data": {"source": "digits"}}, ""),
    ],
)
def test_a_stage_is_of_the_studies_whose_values_it_used(net, params, study, root):
    assert study_of(root, net, params) == study


def test_a_study_that_cannot_be_read_names_nothing(root):
    replace(root / "conf/study/quick.yaml", "nets: [")
    replace(root / "conf/study/other.yaml", "a text")
    occlusion = {"occlusion": {"images": 8, "windows": [3, 5]}}
    assert study_of(root, None, occlusion) == "published"
