import json
from dataclasses import replace

import pandas as pd
import pytest
import torch
from tests import toys
from tests.stages import conftest
from tests.stages.conftest import save

from convscope.base import files, paths
from convscope.base.errors import UserError
from convscope.data.datasets import DataSet, stratified_part
from convscope.nets import zoo
from convscope.stages import evaluate

HISTORY = pd.DataFrame({"run": [1], "epoch": [1], "test_accuracy": [0.5]})
LATER = pd.DataFrame({"run": [1], "epoch": [2], "test_accuracy": [0.25]})
PARAMS = "kernels: portable\nevaluate: {pairs: 1, images_per_pair: 1, seed: 0, threads: 1}\n"
RUN = toys.run("net1")
NOT_FINITE = "its column test_accuracy holds .* not a finite number"


@pytest.fixture
def history(here, monkeypatch):
    """A project with one trained network; the path of its history.csv."""
    monkeypatch.setenv("CONVSCOPE_DEVICE", "cpu")
    files.write_text(here / "params.yaml", PARAMS)
    # a network's ten outputs need ten classes
    dataset = replace(toys.red_or_blue(), classes=tuple("0123456789"))
    torch.manual_seed(0)
    folder = save(RUN, zoo.build(RUN.net, **RUN.point), dataset)
    files.write_csv(folder / paths.HISTORY, HISTORY)
    return folder / paths.HISTORY


def test_it_measures_what_selecting_adds(history):
    files.write_csv(history, pd.concat([HISTORY, LATER]))
    evaluate.run()
    folder = paths.REPORTS / "evaluate"
    assert files.read_csv(folder / "selection.csv", "")["best_less_last"].tolist() == [25.0]
    assert files.read_csv(folder / "mcnemar.csv", "evaluate").empty
    # 20 test images: 4 are in the study's sample
    assert files.read_csv(folder / "class_sample.csv", "evaluate")["sampled_images"].sum() == 4
    assert (folder / "selection.png").is_file()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (HISTORY.drop(columns="epoch"), "it has no column epoch"),
        (HISTORY[:0], "it has no rows"),
        (HISTORY.assign(test_accuracy="high"), NOT_FINITE),
        (HISTORY.assign(test_accuracy=float("inf")), NOT_FINITE),
    ],
)
def test_a_damaged_history_is_refused(history, table, why):
    files.write_csv(history, table)
    with pytest.raises(UserError, match=rf"history\.csv is damaged \({why}\).*train net1"):
        evaluate.run()


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("selecting", "accuracy"), [("test", 0.9), ("validation", 1.0)])
def test_clean_training_images_are_those_that_were_trained_on(selecting, accuracy):
    """The network sees colors; held-out images have another one than their label says."""
    run = replace(conftest.RUN, settings=replace(conftest.RUN.settings, select_on=selecting))
    labels = torch.arange(40) % 2
    _, held = stratified_part(labels, run.settings.validation_fraction, run.point["seed"])
    assert len(held) == 4
    pixels = toys.noise(40) // 4
    shown = labels.clone()
    shown[held] = 1 - shown[held]
    pixels[torch.arange(40), shown] += 150
    parts = (pixels, labels, pixels[:20].clone(), labels[:20].clone())
    dataset = DataSet(*parts, classes=conftest.CLASSES, groups={}, url="toy", md5="")
    folder = save(run, conftest.sees_colors(), dataset)
    files.write_csv(folder / paths.HISTORY, HISTORY)
    evaluate.run()
    (best,) = files.read_csv(paths.REPORTS / "evaluate/best.csv", "").to_dict("records")
    assert best["train_accuracy_clean"] == accuracy
    gap = 100 * (accuracy - best["test_accuracy"])
    assert best["clean_gap_points"] == pytest.approx(gap)
    # it has neither dropout nor batch norm, and its images were not augmented
    assert best["study_accuracy"] == best["test_accuracy"]


def test_a_missing_history_is_refused(history):
    history.unlink()
    assert "history.csv is missing: run `convscope train net1`" in toys.refusal(evaluate.run)


@pytest.mark.parametrize("off", [-0.1, 0.1, float("nan")])
def test_a_network_that_is_not_as_accurate_as_it_says_is_refused(history, off):
    path = history.with_name(paths.BEST)
    best = json.loads(path.read_text())
    best["best"]["test_accuracy"] += off
    path.write_text(json.dumps(best))
    with pytest.raises(UserError, match=r"best\.json is damaged \(.*test_accuracy.*train net1"):
        evaluate.run()
    assert not (paths.REPORTS / "evaluate").exists()
