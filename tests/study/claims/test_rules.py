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


@pytest.mark.parametrize(("number", "files", "measured"), [*plain.NUMBERS, *analyses.NUMBERS])
def test_the_numbers_are_those_that_the_rule_compares(number, files, measured, tmp_path):
    assert judged(tmp_path, number, files).measured == measured
