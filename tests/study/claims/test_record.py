import json
from dataclasses import replace

import pytest

from convscope.base.errors import UserError
from convscope.study import claims
from convscope.study.claims.record import read


def test_a_record_has_the_data_the_counts_and_every_claim(judged, tmp_path):
    path = tmp_path / "claims.json"
    path.write_text(json.dumps(claims.to_json(judged, "digits", "0123")))
    document = json.loads(path.read_text())
    assert (document["data"], document["archive_md5"]) == ("digits", "0123")
    assert document["verdicts"] == {"holds": 45, "does not hold": 0, "not measured": 0}
    assert document["goals"] == {"holds": 0, "does not hold": 0, "not measured": 1}
    first, twelfth = document["claims"][0], document["claims"][11]
    assert list(first) == [
        *("number", "section", "statement", "rule", "way", "verdict", "measured", "why", "unit"),
        *("one_network", "seeds", "published", "differing", "goal", "usual", "answer", "reach"),
    ]
    assert (first["answer"], first["reach"]) == ("holds (one seed)", "margin 3.3 points")
    assert first["seeds"] == [
        {"seed": None, "verdict": "holds", "margin": pytest.approx(3.302), "why": ""}
    ]
    assert [claim["number"] for claim in document["claims"] if claim["goal"]] == [20]
    assert first["verdict"] == "holds"
    assert first["measured"]["lr 0.01, batch 128"] == 0.48958
    assert isinstance(twelfth["measured"]["net4, parameters"], int)
    assert read(path) == ("digits", set(range(1, 47)) - {20})


def test_metrics_count_the_verdicts_and_have_each_by_the_name_of_its_claim(judged):
    failed = [replace(judged[0], verdict=claims.Verdict.DOES_NOT_HOLD), *judged[1:]]
    metrics = claims.to_metrics(failed)
    assert list(metrics.items())[:5] == [
        ("claims_held", 44),
        ("claims_failed", 1),
        ("claims_unmeasured", 0),
        ("claim_01_best_setting", "does not hold (one seed)"),
        ("claim_02_net1_width", "holds (one seed)"),
    ]
    assert metrics["claim_20_same_bytes"] == "not measured"
    assert len(metrics) == 3 + len(claims.RULES)


def test_findings_and_goals_are_counted_apart_in_words(judged):
    findings = "45 findings of the study, each of one seed"
    assert claims.counted(judged) == f"{findings}, and one goal of this project"
    assert claims.counted(judged[:1]) == "1 finding of the study, of one seed"
    several = replace(judged[0], seeds=judged[0].seeds * 3)
    assert claims.counted([several, judged[1]]) == "2 findings of the study, each of up to 3 seeds"


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"claims": [{"number": 1}]}', '{"claims": []}', "[" * 100_000),
        '{"data": "x", "claims": []}',
        '{"data": "x", "claims": [{"number": Infinity, "verdict": "holds"}]}',
        '{"data": "a\\nb", "claims": [{"number": 1, "verdict": "holds"}]}',
        '{"data": 7, "claims": [{"number": 1, "verdict": "holds"}]}',
    ],
)
def test_another_file_is_refused(content, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"other\.json is not a claims\.json that the report made"):
        read(path)
