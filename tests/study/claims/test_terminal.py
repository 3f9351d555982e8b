import io
import json

import pytest

from convscope.base.errors import UserError
from convscope.study import claims
from convscope.study.claims import terminal
from tests.study.claims import folders


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def study(tmp_path):
    folders.write_study(tmp_path / "reports")
    return tmp_path / "reports"


@pytest.fixture
def record(study, tmp_path):
    path = tmp_path / "claims.json"
    path.write_text(json.dumps(claims.to_json(claims.judge(study), "cifar10")))
    return path


def shown(*arguments):
    out = io.StringIO()
    return terminal.run(*arguments, out), out.getvalue()


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_claims_with_their_numbers_side_by_side(study):
    (study / "filter-identify/responses.csv").unlink()
    code, text = shown(study, None)
    assert code == 0
    assert max(map(len, lines(text))) <= 100
    table = [line.split() for line in lines(text)]
    assert table[0] == ["#", "verdict", "claim", "published", "measured"]
    assert ["dropout", "0.3", "0.8511", "0.8511"] in table
    assert ["net4,", "parameters", "4,403,518", "4,403,518"] in table
    assert ["window", "3", "-", "0.9000"] in table
    assert "19  not measured  At least one of the ten filters is dead." in lines(text)
    assert lines(text)[-2:] == [
        "20 claims about cifar10, measured on cifar10: 17 hold, 0 do not, 3 not measured.",
        "Judged on the study's own grids: 17 of these 17.",
    ]


def test_grids_that_are_not_the_study_s_are_named(study):
    folders.write(study, {"train/net2/params": {"train": {}, "net": {"epochs": 8}}})
    text = shown(study, None)[1]
    rows = [line.strip() for line in lines(text)]
    assert rows.count("net2 not as in the study") == 4
    assert rows[-1] == "Judged on the study's own grids: 15 of these 19."


def test_columns_are_aligned(study):
    rows = lines(shown(study, None)[1])
    ends = {len(row) for row in rows if row.endswith(("0.8511", "4,403,518", "measured"))}
    assert len(ends) == 1


def test_color_is_for_terminals(study, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" not in shown(study, None)[1]
    screen = Screen()
    terminal.run(study, None, screen)
    assert "\x1b[32mholds" in screen.getvalue()


def test_a_claim_that_held_and_does_not_any_more_is_named(study, record):
    assert shown(study, record)[0] == 0
    folders.write(study, {"occlusion/by_window": "window,mean_confidence\n3,0.5\n5,0.6"})
    code, text = shown(study, record)
    assert code == 1
    assert f"Claim 14 held in {record}: now does not hold." in text


def test_other_data_is_pointed_out(study, record):
    folders.write(study, {"download/dataset": {"name": "digits"}})
    code, text = shown(study, record)
    assert code == 0
    assert "was measured on cifar10, this on digits." in text


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
def test_what_is_no_record_is_refused(content, study, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"other.json is no claims.json"):
        shown(study, path)


def test_a_missing_record_is_refused(study, tmp_path):
    with pytest.raises(UserError, match="is missing"):
        shown(study, tmp_path / "none.json")
