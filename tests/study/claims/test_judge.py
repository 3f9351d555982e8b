import subprocess
import sys

import pandas as pd
import pytest

from convscope.base.errors import UserError
from convscope.study import claims
from tests.study.claims import folders


def verdicts(reports):
    return {claim.number: str(claim.verdict) for claim in claims.judge(reports)}


def test_the_study_s_own_numbers_bear_out_every_finding_of_the_study(tmp_path):
    folders.write_study(tmp_path)
    found = verdicts(tmp_path)
    assert found.pop(20) == "not measured"
    assert found == dict.fromkeys(range(1, 20), "holds")


def test_measured_and_published_numbers_have_the_same_names(tmp_path):
    folders.write_study(tmp_path)
    for claim in claims.judge(tmp_path):
        if claim.number != 14:
            assert claim.measured == pytest.approx(claim.published), claim.statement
    published = {claim.number: claim.published for claim in claims.judge(tmp_path)}
    assert {number for number, numbers in published.items() if not numbers} == {14, 20}
    assert published[12]["net4's parameters, percent of net3's"] == pytest.approx(64.57, abs=0.005)
    assert published[15]["drop, points"] == pytest.approx(2.92)
    assert published[17] == {"before": 70, "after": 348}


def test_a_claim_names_the_grids_that_are_not_the_study_s_own(tmp_path):
    folders.write_study(tmp_path)
    own = {"epochs": 60, "augment": True, "lr": [0.01], "batch_size": [128], "momentum": [0.9]}
    net3 = {**own, "l1_oc": [96, 32, 64], "filter_multiplier": [2.0], "kernel_size": [3]}
    net3 |= {"stride": [1], "dropout_rate": [0.1, 0.3, 0.5]}
    folders.write(tmp_path, {"train/net3/params": {"train": {"select_on": "test"}, "net": net3}})
    assert [claim.number for claim in claims.judge(tmp_path) if claim.differing] == []
    shorter = {"train": {}, "net": {**net3, "epochs": 59}}
    folders.write(tmp_path, {"train/net3/params": shorter})
    found = {claim.number: claim for claim in claims.judge(tmp_path) if claim.differing}
    assert {number: claim.differing for number, claim in found.items()} == dict.fromkeys(
        (9, 10, 11, 12), ("net3",)
    )
    assert found[9].caveat == "net3 not as in the study"
    (tmp_path / "train/net3/by_l1_oc.csv").unlink()
    (unmeasured,) = [claim for claim in claims.judge(tmp_path) if claim.number == 11]
    assert (unmeasured.differing, unmeasured.caveat) == (("net3",), "")


def test_every_claim_of_a_grid_or_an_analysis_names_its_grids():
    for rule in claims.RULES[:-1]:
        named = set(rule.grids)
        if rule.section.startswith("net") or rule.section == "baseline":
            assert rule.section in named
        else:
            assert named == {"net4"}


def test_the_order_of_rows_does_not_matter(tmp_path):
    folders.write_study(tmp_path)
    expected = verdicts(tmp_path)
    for path in tmp_path.rglob("*.csv"):
        pd.read_csv(path)[::-1].to_csv(path, index=False)
    assert verdicts(tmp_path) == expected


def test_nothing_is_measured_in_an_empty_folder_and_each_claim_says_what_to_run(tmp_path):
    judged = claims.judge(tmp_path)
    assert [claim.number for claim in judged] == list(range(1, 21))
    for claim in judged[:-1]:
        assert (str(claim.verdict), claim.measured) == ("not measured", {})
        assert "is missing: run `convscope " in claim.why
        assert str(tmp_path) not in claim.why
    assert "run `convscope train net1`" in judged[1].why


@pytest.mark.parametrize(
    ("stage", "lost"),
    [
        ("train/baseline", [1]),
        ("train/net1", [2, 3, 4, 5, 8]),
        ("train/net2", [6, 7, 8, 9]),
        ("train/net3", [9, 10, 11, 12]),
        ("train/net4", [12, 13]),
        ("occlusion", [14]),
        ("filter-ablation", [15, 16, 17]),
        ("filter-identify", [18, 19]),
    ],
)
def test_a_stage_that_has_not_run_leaves_its_claims_unmeasured(stage, lost, tmp_path):
    folders.write_study(tmp_path)
    (tmp_path / stage).rename(tmp_path / "elsewhere")
    found = verdicts(tmp_path)
    assert [n for n in range(1, 20) if found[n] == "not measured"] == lost


@pytest.mark.parametrize("stage", ["occlusion", "filter-ablation", "filter-identify"])
def test_an_analysis_of_another_network_says_nothing_of_net4(stage, tmp_path):
    folders.write_study(tmp_path)
    folders.write(tmp_path, {f"{stage}/params": {"analysis": {"net": "net2"}}})
    unmeasured = [c for c in claims.judge(tmp_path)[:-1] if c.verdict == "not measured"]
    assert {claim.section for claim in unmeasured} == {stage}
    assert all(f"reports/{stage} analyzes net2" in claim.why for claim in unmeasured)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("loss\n1\n", "no column lr"),
        ("lr,batch_size,test_accuracy\n0.01,128,high\n", "not a finite number"),
        ("lr,batch_size,test_accuracy\n0.01,128,\n", "not a finite number"),
        ('a,"b\n', "EOF"),
        ("", "No columns"),
    ],
)
def test_a_damaged_table_is_the_user_s_to_put_right(content, why, tmp_path):
    path = tmp_path / "train/baseline/by_lr_batch_size.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(UserError, match=rf"(?s){why}.*run `convscope baseline`"):
        claims.judge(tmp_path)


def test_a_table_without_rows_is_not_measured(tmp_path):
    claim = folders.judged(
        tmp_path, 1, {"train/baseline/by_lr_batch_size": "lr,batch_size,test_accuracy"}
    )
    assert claim.why == "reports/train/baseline/by_lr_batch_size.csv has no rows"


@pytest.mark.parametrize("content", ["{", "[]"])
def test_damaged_params_are_the_user_s_to_put_right(content, tmp_path):
    folders.write_study(tmp_path)
    (tmp_path / "occlusion/params.json").write_text(content)
    with pytest.raises(UserError, match="run `convscope occlusion`"):
        claims.judge(tmp_path)


def test_the_name_of_the_data(tmp_path):
    assert claims.data_name(tmp_path) is None
    folders.write(tmp_path, {"download/dataset": {"name": "digits"}})
    assert claims.data_name(tmp_path) == "digits"


def test_the_archive_of_the_data(tmp_path):
    assert claims.archive_md5(tmp_path) is None
    folders.write(tmp_path, {"download/dataset": {"name": "cifar10", "md5": "0123"}})
    assert claims.archive_md5(tmp_path) == "0123"


def test_judging_needs_no_torch():
    code = "import sys, convscope.study.claims.terminal; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
