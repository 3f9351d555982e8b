import subprocess
import sys

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


@pytest.mark.parametrize(
    ("used", "study"),
    [
        ({"conv1": [0, 1], "conv2": [0, 1]}, "published, quick"),
        ({"conv1": [0, 1]}, "changed"),
    ],
)
def test_a_study_chooses_filters_by_the_network_that_was_analyzed(used, study, root):
    published = f"{PUBLISHED}filter_ablation: {{filters: 2, convolutions: 5, newly_wrong: 3}}\n"
    replace(root / "conf/study/published.yaml", published)
    params = {
        "analysis": {"net": "net1"},
        "filter_ablation": {"filters": used, "newly_wrong": 3},
    }
    analyzed = {name: {**params, "analysis": {"net": name}} for name in ("net1", "net2")}
    published = published.replace("train:", "analysis: {net: net1}\ntrain:", 1)
    replace(root / "conf/study/published.yaml", published)
    layers = "layer,width\nimage,3\nconv1,4\nrelu1,4\nconv2,8\nfc1,120\n"
    replace(root / "reports/train/net1/layers.csv", layers)
    assert study_of(root, None, analyzed["net1"]) == study
    # of another network than the study's, or of one whose files are gone
    assert study_of(root, None, analyzed["net2"]) == "changed"
    # torch takes longer to import than all the rest that the process of a tracker does
    program = (
        "import sys; from pathlib import Path; from convscope.tracking import service, studies; "
        f"print(studies.study_of(Path(), None, {analyzed['net1']!r})); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{study}\n", "")


def test_a_study_that_cannot_be_read_names_nothing(root):
    replace(root / "conf/study/quick.yaml", "nets: [")
    replace(root / "conf/study/other.yaml", "a text")
    occlusion = {"occlusion": {"images": 8, "windows": [3, 5]}}
    assert study_of(root, None, occlusion) == "published"
