import pytest

from tests.study.claims import analyses, plain, regularized
from tests.study.claims.folders import judged

MODULES = (plain, regularized, analyses)


@pytest.mark.parametrize(
    ("number", "files", "verdict", "why"), [case for m in MODULES for case in m.JUDGED]
)
def test_a_claim_holds_or_what_speaks_against_it_is_said(number, files, verdict, why, tmp_path):
    claim = judged(tmp_path, number, files)
    assert (str(claim.verdict), claim.why) == (verdict, why)


@pytest.mark.parametrize(
    ("number", "files", "why"), [case for m in MODULES for case in m.UNMEASURED]
)
def test_a_claim_is_not_measured_without_what_it_compares(number, files, why, tmp_path):
    claim = judged(tmp_path, number, files)
    assert (claim.verdict, claim.measured) == ("not measured", {})
    assert why in claim.why


@pytest.mark.parametrize(("number", "files", "measured"), analyses.NUMBERS)
def test_the_numbers_of_an_analysis_are_those_that_the_rule_compares(
    number, files, measured, tmp_path
):
    assert judged(tmp_path, number, files).measured == measured


def test_the_numbers_of_a_grid_are_those_that_the_rule_compares(tmp_path):
    claim = judged(tmp_path, 1, plain.settings(0.5, 0.4, 0.3, 0.4, 0.2, 0.1))
    assert (claim.section, claim.measured["lr 0.001, batch 128"]) == ("baseline", 0.4)
    assert judged(tmp_path, 2, plain.three_widths(0.3)).measured["l1_oc 8, m 1.5"] == 0.3
    assert len(judged(tmp_path, 7, plain.overfit(20.5)).measured) == 9
