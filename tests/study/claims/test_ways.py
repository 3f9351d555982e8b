"""Claims about networks trained on augmented images: judged by both ways to test them."""

import json

import pandas as pd
import pytest

from convscope.base.names import STUDY_ACCURACY, STUDY_OVERFIT
from convscope.evaluation import history_tables
from convscope.study import claims
from convscope.study.claims.sources import NotMeasuredError, Reports
from tests import toys
from tests.study.claims import folders

BOTH = {9, 10, 11, 12, 13, 21, 29, 30, 31, 45}
BY_DROPOUT = "train/net4/by_dropout_rate"


def judged(reports, number, files):
    folders.write(reports, files)
    (rule,) = [rule for rule in claims.RULES if rule.number == number]
    return rule.judge(Reports.below(reports))


def by_dropout(**columns):
    """net4's table of two dropout rates, whose columns are given."""
    table = pd.DataFrame({"dropout_rate": [0.3, 0.5], **columns})
    return {BY_DROPOUT: table.to_csv(index=False).strip()}


def test_those_that_rest_on_augmented_images_are_judged_by_both_and_no_others(study):
    found = claims.judge(study)
    assert {claim.number for claim in found if claim.usual} == BOTH
    assert {claim.number for claim in found if claim.way == "the study's way"} == BOTH
    assert {claim.way for claim in found if claim.number not in BOTH} == {""}
    for rule in claims.RULES:
        assert ("study_accuracy" in rule.rule) is (rule.number in BOTH)


def test_the_verdict_is_by_the_study_s_way_and_the_usual_stands_beside_it(tmp_path):
    files = by_dropout(test_accuracy=[0.9, 0.7], study_accuracy=[0.6, 0.65])
    claim = judged(tmp_path, 13, files)
    assert (claim.way, claim.answer) == ("the study's way", "does not hold (one seed)")
    assert claim.measured == {"dropout 0.3": 0.6, "dropout 0.5": 0.65}
    assert claim.reach == "margin -5 points"
    assert (claim.usual.way, claim.usual.answer) == ("the usual way", "holds (one seed)")
    assert claim.usual.measured == {"dropout 0.3": 0.9, "dropout 0.5": 0.7}
    assert claim.usual.reach == "margin 20 points"
    assert claim.published["dropout 0.3"] > claim.published["dropout 0.5"]


def test_a_network_without_augmented_images_is_read_as_it_is(tmp_path):
    files = {
        "train/net2/best": "overfit_percent,test_accuracy,train_accuracy\n20,0.75,0.95",
        "train/net3/best": (
            "overfit_percent,test_accuracy,train_accuracy,study_accuracy,study_overfit_percent\n"
            "0,0.9,0.8,0.7,10"
        ),
        "train/net3/best_study": (
            "overfit_percent,test_accuracy,train_accuracy,study_accuracy,study_overfit_percent\n"
            "0,0.8,0.85,0.77,8"
        ),
    }
    claim = judged(tmp_path, 9, files)
    assert claim.measured == {
        "net2, overfit (points)": 20,
        "net3, overfit (points)": 8,
        "net2, test accuracy": 0.75,
        "net3, test accuracy": 0.77,
    }
    assert (claim.verdict, claim.usual.verdict) == ("holds", "holds")
    assert claim.usual.measured["net3, test accuracy"] == 0.9


def test_a_grid_without_augmented_images_is_not_like_the_study_s(tmp_path):
    claim = judged(tmp_path, 13, by_dropout(test_accuracy=[0.9, 0.7]))
    assert (claim.way, claim.answer) == ("the study's way", "not measured")
    assert claim.why == (
        "reports/train/net4/by_dropout_rate.csv has nothing tested in the study's way: change "
        "nets.net4.augment in params.yaml and run `dvc repro`"
    )
    assert claim.usual.answer == "holds (one seed)"


def test_what_neither_way_measured_says_what_the_usual_lacks(tmp_path):
    claim = judged(tmp_path, 13, {})
    assert (claim.way, claim.usual, claim.verdict) == ("", None, "not measured")
    assert claim.why.endswith("by_dropout_rate.csv is missing: run `convscope train net4`")


def test_each_seed_has_its_best_by_the_study_s_way(tmp_path):
    runs = [(0, 0.8, 0.5), (0, 0.7, 0.6), (1, 0.6, 0.7), (1, 0.9, 0.4)]
    rows = [
        dict.fromkeys(toys.HISTORY, 0)
        | {"run": run, "seed": seed, "test_accuracy": usual, STUDY_ACCURACY: own, STUDY_OVERFIT: 0}
        for run, (seed, usual, own) in enumerate(runs, 1)
    ]
    tables = history_tables.of_net("net4", pd.DataFrame(rows))
    assert tables["seeds_best"]["run"].tolist() == [1, 4]
    assert tables["seeds_best_study"]["run"].tolist() == [2, 3]
    files = {
        f"train/net4/{name}": table.to_csv(index=False).strip() for name, table in tables.items()
    }
    files["train/net4/params"] = {"train": {"seeds": [0, 1]}, "net": {}}
    folders.write(tmp_path, files)
    sources = dict(Reports.below(tmp_path).like_study().by_seed(["net4"]))
    found = {seed: each.table("train/net4/best")["run"].tolist() for seed, each in sources.items()}
    assert found == {0: [2], 1: [3]}
    highest = {seed: each.highest("net4") for seed, each in sources.items()}
    assert highest == {0: {0: 0.6}, 1: {0: 0.7}}


def test_a_best_run_that_an_earlier_version_did_not_write_names_what_to_run(tmp_path):
    best = "test_accuracy,study_accuracy\n0.9,0.7"
    folders.write(tmp_path, {"train/net3/best": best})
    with pytest.raises(NotMeasuredError, match=r"best_study.csv is missing: run `convscope train"):
        Reports.below(tmp_path).like_study().table("train/net3/best", numbers=["test_accuracy"])


def test_the_record_has_both_ways(tmp_path):
    files = by_dropout(test_accuracy=[0.9, 0.7], study_accuracy=[0.6, 0.65])
    folders.write(tmp_path, files)
    document = json.loads(json.dumps(claims.to_json(claims.judge(tmp_path), "digits")))
    thirteenth, first = document["claims"][12], document["claims"][0]
    assert (thirteenth["way"], thirteenth["verdict"]) == ("the study's way", "does not hold")
    assert thirteenth["usual"]["answer"] == "holds (one seed)"
    assert first["usual"] is None
