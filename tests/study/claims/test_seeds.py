"""Claims over several seeds: each is judged by its own runs, by the same rule."""

from dataclasses import replace
from itertools import product

import pandas as pd
import pytest

from convscope.base import names
from convscope.evaluation import history_tables
from convscope.study import claims
from convscope.study.claims import Judgment, Verdict
from convscope.study.claims.claim import SeedVerdict
from convscope.study.claims.sources import NotMeasuredError, Reports
from tests import toys
from tests.study.claims import folders

SEEDS = (0, 1, 2)


def trained(net, runs, seeds=SEEDS):
    """Report files of a grid, as the stage makes them, of runs of one epoch."""
    rows = [dict.fromkeys(toys.HISTORY, 0) | {"run": i} | run for i, run in enumerate(runs, 1)]
    history = pd.DataFrame(rows).drop(columns=names.CLASSES, errors="ignore")
    tables = history_tables.of_net(net, history)
    files = {
        f"train/{net}/{name}": table.to_csv(index=False).strip() for name, table in tables.items()
    }
    return files | {f"train/{net}/params": {"train": {"seeds": list(seeds)}, "net": {}}}


def dropout(*accuracies):
    """Of each seed the test accuracy of net4 with dropout 0.3, and with 0.5."""
    return trained(
        "net4",
        [
            {"seed": seed, "dropout_rate": rate, "test_accuracy": accuracy}
            for seed, pair in enumerate(accuracies)
            for rate, accuracy in zip((0.3, 0.5), pair, strict=True)
        ],
        range(len(accuracies)),
    )


def test_a_claim_that_holds_in_every_seed_says_by_how_little(tmp_path):
    claim = folders.judged(tmp_path, 13, dropout((0.8, 0.7), (0.8, 0.75), (0.9, 0.6)))
    assert (claim.verdict, claim.answer) == ("holds", "holds in 3 of 3 seeds")
    assert claim.reach == "smallest margin 5 points, spread of the seeds 25 points"
    assert [(each.seed, each.margin) for each in claim.seeds] == [
        (0, pytest.approx(10)),
        (1, pytest.approx(5)),
        (2, pytest.approx(30)),
    ]
    assert claim.measured == pytest.approx({"dropout 0.3": 2.5 / 3, "dropout 0.5": 2.05 / 3})


def test_a_claim_that_holds_by_the_means_alone_does_not_hold(tmp_path):
    claim = folders.judged(tmp_path, 13, dropout((0.9, 0.5), (0.7, 0.71), (0.9, 0.5)))
    assert (claim.verdict, claim.answer) == ("does not hold", "holds in 2 of 3 seeds")
    assert claim.why == "seed 1: dropout 0.5 is at least as good"
    assert claim.reach.startswith("smallest margin -1 points")


def test_of_one_seed_no_claim_says_that_it_holds_and_nothing_more(tmp_path):
    claim = folders.judged(tmp_path, 13, dropout((0.8, 0.7)))
    assert (claim.answer, claim.reach) == ("holds (one seed)", "margin 10 points")
    assert [each.seed for each in claim.seeds] == [0]


def test_the_best_run_and_the_highest_accuracy_are_those_of_each_seed(tmp_path):
    files = dropout((0.8, 0.7), (0.6, 0.75))
    claim = folders.judged(tmp_path, 30, files)
    assert claim.answer == "holds in 1 of 2 seeds"
    sources = dict(Reports.below(tmp_path).by_seed(["net4"]))
    best = [each.table("train/net4/best")["test_accuracy"].tolist() for each in sources.values()]
    assert best == [[0.8], [0.75]]
    assert sources[1].table("train/net4/runs")["test_accuracy"].tolist() == [0.6, 0.75]


def test_settings_that_differ_from_seed_to_seed_have_no_mean(tmp_path):
    runs = [
        {"seed": seed, "l1_oc": l1_oc, "filter_multiplier": 2.0, "stride": stride}
        | {"kernel_size": size, "test_accuracy": accuracy if (l1_oc, stride) == (18, 1) else 0.1}
        for seed, pair in enumerate([(0.8, 0.7), (0.6, 0.7), (0.9, 0.5)])
        for size, accuracy in zip((3, 5), pair, strict=True)
        for l1_oc, stride in product((6, 18), (1, 2))
    ]
    measured = folders.judged(tmp_path, 5, trained("net1", runs)).measured
    settings = {name: value for name, value in measured.items() if "accuracy" not in name}
    lead = settings.pop("ahead of any other setting by, points")
    assert {name: settings.pop(name) for name in ("l1_oc", "filter_multiplier", "stride")} == {
        "l1_oc": 18,
        "filter_multiplier": 2.0,
        "stride": 1,
    }
    by_seed = {"kernel_size, seed 0": 3, "kernel_size, seed 1": 5, "kernel_size, seed 2": 3}
    assert settings == by_seed
    assert (lead, measured["test accuracy"]) == (pytest.approx(40 / 3), pytest.approx(0.8))


def test_a_claim_about_two_grids_takes_the_same_seed_of_both(tmp_path):
    runs = {
        "net3": [{"seed": s, "test_accuracy": 0.7, "total_parameters": 100} for s in SEEDS],
        "net4": [{"seed": s, "test_accuracy": 0.9, "total_parameters": 65} for s in (1, 2)],
    }
    files = trained("net3", runs["net3"]) | trained("net4", runs["net4"], (1, 2))
    claim = folders.judged(tmp_path, 12, files)
    assert (claim.answer, [each.seed for each in claim.seeds]) == ("holds in 2 of 2 seeds", [1, 2])


def test_a_grid_s_own_seeds_come_before_those_of_all(tmp_path):
    files = dropout((0.8, 0.7), (0.9, 0.75))
    own = {"train": {"seeds": [0]}, "net": {"seeds": [0, 1]}}
    claim = folders.judged(tmp_path, 13, files | {"train/net4/params": own})
    assert claim.answer == "holds in 2 of 2 seeds"


def test_grids_without_a_common_seed_name_what_to_train(tmp_path):
    files = trained("net3", [{"seed": 0}], [0]) | trained("net4", [{"seed": 1}], [1])
    claim = folders.judged(tmp_path, 12, files)
    assert claim.verdict == "not measured"
    lacking = [f"seed {0 if net == 'net4' else 1}: {net} was not" for net in ("net4", "net3")]
    assert claim.why.count("add it to nets.net") == 2
    assert all(each in claim.why for each in lacking)


def test_tables_that_an_earlier_version_wrote_name_what_to_run(tmp_path):
    folders.write(tmp_path, dropout((0.8, 0.7), (0.8, 0.75)))
    (tmp_path / "train/net4/seeds_by_dropout_rate.csv").unlink()
    (rule,) = [rule for rule in claims.RULES if rule.number == 13]
    claim = rule.judge(Reports.below(tmp_path))
    assert claim.answer == "not measured"
    assert claim.why.endswith("seeds_by_dropout_rate.csv is missing: run `convscope train net4`")
    with pytest.raises(NotMeasuredError):
        replace(Reports.below(tmp_path), seed=0).table("train/net4/by_dropout_rate")


def test_an_analysis_is_of_one_network_and_says_of_which_seed(tmp_path):
    files = dropout((0.8, 0.7), (0.9, 0.75))
    survey = "class,images,window,confidence\nall,9,3,0.5\nall,9,5,0.4"
    analysis = {"occlusion/params": folders.NET4, "occlusion/fall_with_window": survey}
    claim = folders.judged(tmp_path, 14, files | analysis)
    assert (claim.answer, claim.reach) == (
        "holds (one seed)",
        "margin 10 points; of one network, seed 1",
    )


def test_where_held_out_images_selected_the_best_on_the_test_images_names_no_seed(tmp_path):
    files = dropout((0.8, 0.7), (0.9, 0.75))
    survey = "class,images,window,confidence\nall,9,3,0.5\nall,9,5,0.4"
    analysis = {"occlusion/params": folders.NET4, "occlusion/fall_with_window": survey}
    stated = files["train/net4/params"]["train"] | {"select_on": "validation"}
    several = {"train/net4/params": {"train": stated, "net": {}}}
    claim = folders.judged(tmp_path, 14, files | analysis | several)
    assert claim.reach == "margin 10 points; of one network"
    single = {"train/net4/params": {"train": stated | {"seeds": [7]}, "net": {}}}
    claim = folders.judged(tmp_path, 14, files | analysis | single)
    assert claim.reach == "margin 10 points; of one network, seed 7"


def test_what_is_not_a_matter_of_more_or_less_leaves_no_margin(tmp_path):
    beats = {"train/net3/best": "test_accuracy,total_parameters\n0.7,1000"}
    found = [
        folders.judged(
            tmp_path, 12, {**beats, "train/net4/best": f"test_accuracy,total_parameters\n{row}"}
        )
        for row in ("0.8,650", "0.8,1610", "0.6,1610")
    ]
    assert [(claim.answer, claim.reach) for claim in found] == [
        ("holds (one seed)", "margin 10 points"),
        ("does not hold (one seed)", ""),
        ("does not hold (one seed)", "margin -10 points"),
    ]


def test_a_goal_is_of_no_seed(tmp_path):
    claim = folders.judged(tmp_path, 20, {})
    assert (claim.goal, claim.seeds, claim.answer) == (True, (), "not measured")


def test_seeds_that_were_not_measured_are_left_out_and_named():
    seeds = (SeedVerdict(0, Verdict.NOT_MEASURED, why="lack"), SeedVerdict(1, Verdict.HOLDS, 0.5))
    claim = Judgment(verdict=Verdict.HOLDS, measured={}, seeds=seeds)
    assert claim.answer == "holds (one seed)"
    assert claim.reach == "margin 0.5 points; not measured in 1 more"
