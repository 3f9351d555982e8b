from math import comb

import pytest

from tests.study.claims import (
    ablation,
    dropout,
    filters,
    occlusion,
    plain,
    regularized,
    widths,
)
from tests.study.claims.folders import judged

MODULES = (plain, regularized, occlusion, ablation, filters, widths, dropout)
MEASURING = (plain, occlusion, ablation, filters, widths, dropout)


@pytest.mark.parametrize(
    ("number", "files", "verdict", "why"), [case for m in MODULES for case in m.JUDGED]
)
def test_a_claim_holds_or_what_speaks_against_it_is_said(number, files, verdict, why, tmp_path):
    claim = judged(tmp_path, number, files)
    assert (str(claim.verdict), claim.why) == (verdict, why)
    if claim.usual:
        assert (str(claim.usual.verdict), claim.usual.why) == (verdict, why)


@pytest.mark.parametrize(
    ("number", "files", "why"), [case for m in MODULES for case in m.UNMEASURED]
)
def test_a_claim_is_not_measured_without_what_it_compares(number, files, why, tmp_path):
    claim = judged(tmp_path, number, files)
    assert (claim.verdict, claim.measured) == ("not measured", {})
    assert why in claim.why


@pytest.mark.parametrize(
    ("number", "files", "measured"), [case for m in MEASURING for case in m.NUMBERS]
)
def test_the_numbers_are_those_that_the_rule_compares(number, files, measured, tmp_path):
    found = judged(tmp_path, number, files).measured
    assert found == pytest.approx(measured, abs=1e-6)
    assert {type(value) for value in found.values()} <= {int, float}


def test_how_likely_chance_keeps_errors_within_is_a_binomial_test(tmp_path):
    found = judged(tmp_path, 16, ablation.groups(animals=5, vehicles=8, within=(7, 4))).measured
    for group, least, chance in (("animals", 7, 5 / 9), ("vehicles", 4, 1 / 3)):
        p_value = sum(
            comb(12, within) * chance**within * (1 - chance) ** (12 - within)
            for within in range(least, 13)
        )
        assert found[f"errors on {group} within, p by chance"] == pytest.approx(p_value)
    assert found["errors on animals within, share"] == pytest.approx(7 / 12)


def test_the_numbers_of_a_grid_are_those_that_the_rule_compares(tmp_path):
    claim = judged(tmp_path, 1, plain.settings(0.5, 0.4, 0.3, 0.4, 0.2, 0.1))
    assert (claim.section, claim.measured["lr 0.001, batch 128"]) == ("baseline", 0.4)
    assert judged(tmp_path, 2, plain.three_widths(0.3)).measured["l1_oc 8, m 1.5"] == 0.3
    assert len(judged(tmp_path, 7, plain.overfit(20.5)).measured) == 9
