import json

from convscope.study import claims
from tests.study.claims import folders


def record(reports, data="cifar10"):
    """claims.json, as it is read back."""
    document = claims.to_json(claims.judge(reports), data)
    return json.loads(json.dumps(document, allow_nan=False))


def test_a_record_has_the_data_the_counts_and_every_claim(tmp_path):
    folders.write_study(tmp_path)
    document = record(tmp_path, "digits")
    assert document["data"] == "digits"
    assert document["archive_md5"] is None
    assert claims.to_json([], "cifar10", "0123")["archive_md5"] == "0123"
    assert document["verdicts"] == {"holds": 19, "does not hold": 0, "not measured": 1}
    first = document["claims"][0]
    assert list(first) == [
        *("number", "section", "statement", "rule", "verdict", "published", "measured", "why"),
        "differing",
    ]
    assert first["verdict"] == "holds"
    assert first["measured"]["lr 0.01, batch 128"] == 0.48958


def test_numbers_that_count_are_whole(tmp_path):
    folders.write_study(tmp_path)
    measured = record(tmp_path)["claims"][11]["measured"]
    assert json.dumps(measured["net4, parameters"]) == "4403518"


def test_changed_are_the_claims_that_held_and_do_no_more(tmp_path):
    folders.write_study(tmp_path)
    before = record(tmp_path)
    assert claims.changed(before, claims.judge(tmp_path)) == []
    folders.write(tmp_path, {"occlusion/by_window": "window,mean_confidence\n3,0.5\n5,0.6"})
    (tmp_path / "train/baseline/by_lr_batch_size.csv").unlink()
    now = claims.judge(tmp_path)
    lost = [(claim.number, str(claim.verdict)) for claim in claims.changed(before, now)]
    assert lost == [(1, "not measured"), (14, "does not hold")]
    # what did not hold before is no news, and neither is what holds now
    assert claims.changed(record(tmp_path), now) == []
