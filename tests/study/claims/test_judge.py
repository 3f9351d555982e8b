from dataclasses import asdict, replace

import pandas as pd
import pytest

from convscope.base.errors import UserError
from convscope.study import claims
from tests import projects, toys
from tests.study.claims import folders

SETTINGS = "train/baseline/by_lr_batch_size.csv"
STRENGTHS = asdict(replace(toys.AUGMENTED, hue=0.0))


# of which the study prints no number
UNPRINTED = {14, 38, 39, 40, 42, 43, 44}


def verdicts(judged):
    return {claim.number: str(claim.verdict) for claim in judged}


def test_the_study_s_own_numbers_bear_out_every_finding_of_the_study(judged):
    assert {number for number, verdict in verdicts(judged).items() if verdict != "holds"} == {20}
    assert [claim.number for claim in judged if claim.goal] == [20]
    for claim in judged:
        assert claim.statement.endswith(".")
        assert claim.rule.endswith(".")
        if claim.number not in UNPRINTED:
            # that one is a bound, of what it does not say
            printed = {k: v for k, v in claim.published.items() if "never above" not in k}
            measured = {name: claim.measured[name] for name in printed}
            assert measured == pytest.approx(printed), claim.statement
    published = {claim.number: claim.published for claim in judged}
    assert {number for number, numbers in published.items() if not numbers} == {
        *UNPRINTED,
        20,
    }
    assert published[12]["net4's parameters, percent of net3's"] == pytest.approx(64.57, abs=0.005)
    assert published[15]["drop, points"] == pytest.approx(2.92)
    assert published[17] == {"before": 70, "after": 348}
    assert published[30] == {
        "dropout 0.3, highest test accuracy": 0.8874,
        "dropout 0.5, test accuracy never above": 0.88,
    }


def test_a_claim_names_the_grids_that_are_not_the_study_s_own(study):
    own = {"epochs": 60, "augment": STRENGTHS, "lr": [0.01], "batch_size": [128], "momentum": [0.9]}
    net3 = {**own, "l1_oc": [96, 32, 64], "filter_multiplier": [2.0], "kernel_size": [3]}
    net3 |= {"stride": [1], "dropout_rate": [0.1, 0.3, 0.5]}
    folders.write(study, {"train/net3/params": {"train": {"select_on": "test"}, "net": net3}})
    assert [claim.number for claim in claims.judge(study) if claim.differing] == []
    shorter = {"train": {}, "net": {**net3, "epochs": 59}}
    folders.write(study, {"train/net3/params": shorter})
    (study / "train/net3/by_l1_oc.csv").unlink()
    found = [claim for claim in claims.judge(study) if claim.differing]
    caveat = "net3 not as in the study"
    assert [(claim.number, claim.differing, claim.caveat) for claim in found] == [
        (9, ("net3",), caveat),
        (10, ("net3",), caveat),
        (11, ("net3",), ""),  # not measured
        (12, ("net3",), caveat),
        (21, ("net3",), ""),  # neither
        (29, ("net3",), ""),
        (31, ("net3",), caveat),
        (45, ("net3",), caveat),
    ]


def test_every_claim_of_a_grid_or_an_analysis_names_its_grids():
    grids = {rule.number: rule.grids for rule in claims.RULES}
    networks = [rule for rule in claims.RULES if rule.section.startswith(("net", "baseline"))]
    assert len(networks) == 26
    assert all(rule.section in rule.grids for rule in networks)
    others = [grids[rule.number] for rule in claims.RULES if rule not in networks]
    assert others == [("net4",)] * 6 + [()] + [("net4",)] * 13


def test_the_order_of_rows_does_not_matter(study, judged):
    for path in study.rglob("*.csv"):
        pd.read_csv(path)[::-1].to_csv(path, index=False)
    assert verdicts(claims.judge(study)) == verdicts(judged)


def test_nothing_is_measured_in_an_empty_folder_and_each_claim_says_what_to_run(tmp_path):
    judged = claims.judge(tmp_path)
    assert [claim.number for claim in judged] == list(range(1, 47))
    for claim in judged[:19] + judged[20:]:
        assert (str(claim.verdict), claim.measured) == ("not measured", {})
        assert "is missing: run `convscope " in claim.why
        assert str(tmp_path) not in claim.why
    assert judged[1].why.endswith("multiplier.csv is missing: run `convscope train net1`")


@pytest.mark.parametrize(
    ("stage", "lost"),
    [
        ("train/baseline", [1]),
        ("train/net1", [2, 3, 4, 5, 8, 22, 23, 24, 25]),
        ("train/net2", [6, 7, 8, 9, 21, 26, 27, 28, 46]),
        ("train/net3", [9, 10, 11, 12, 21, 29, 31, 45]),
        ("train/net4", [12, 13, 30, 31]),
        ("evaluate", [32]),
        ("occlusion", [14, 38, 39, 40, 44]),
        ("filter-ablation", [15, 16, 17, 33, 34, 35, 36, 37]),
        ("filter-identify", [18, 19, 41, 42, 43]),
    ],
)
def test_a_stage_that_has_not_run_leaves_its_claims_unmeasured(stage, lost, study):
    (study / stage).rename(study / "elsewhere")
    found = verdicts(claims.judge(study))
    assert [n for n in found if found[n] == "not measured" and n != 20] == lost


@pytest.mark.parametrize("stage", ["occlusion", "filter-ablation", "filter-identify"])
def test_an_analysis_of_another_network_says_nothing_of_net4(stage, study):
    folders.write(study, {f"{stage}/params": {"analysis": {"net": "net2"}}})
    judged = claims.judge(study)
    unmeasured = [c for c in judged if c.verdict == "not measured" and not c.goal]
    assert {claim.section for claim in unmeasured} == {stage}
    assert all(f"reports/{stage} analyzes net2" in claim.why for claim in unmeasured)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        (SETTINGS, "loss\n1\n", "no column lr"),
        (SETTINGS, "lr,batch_size,test_accuracy\n0.01,128,high\n", "not a finite number"),
        (SETTINGS, "lr,batch_size,test_accuracy\n0.01,128,\n", "not a finite number"),
        (SETTINGS, 'a,"b\n', "EOF"),
        (SETTINGS, "", "No columns"),
        ("occlusion/params.json", "{", "line 1"),
        ("occlusion/params.json", "[]", "does not hold a mapping"),
    ],
)
def test_a_damaged_file_is_the_user_s_to_put_right(file, content, why, study):
    (study / file).write_text(content)
    stage = "occlusion" if file.startswith("occlusion") else "baseline"
    with pytest.raises(UserError, match=rf"(?s){why}.*run `convscope {stage}`"):
        claims.judge(study)


def test_the_name_and_the_archive_of_the_data(tmp_path):
    assert claims.measured_on(tmp_path) == (None, None)
    folders.write(tmp_path, {"download/dataset": {"name": "cifar10", "md5": "0123"}})
    assert claims.measured_on(tmp_path) == ("cifar10", "0123")


def test_judging_needs_no_torch():
    code = "import sys, convscope.study.claims.terminal; sys.exit('torch' in sys.modules)"
    assert projects.python("-c", code).returncode == 0


def test_claims_are_not_judged_where_python_drops_what_states_them(here):
    (here / "params.yaml").touch()
    done = projects.python("-OO", "-m", "convscope.cli", "claims")
    assert done.returncode == 2
    assert done.stderr == (
        "convscope: docstrings state the claims: run Python without -OO, and unset PYTHONOPTIMIZE\n"
    )
