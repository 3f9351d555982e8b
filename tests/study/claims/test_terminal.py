import io
import json

import pytest

from convscope.study import claims
from convscope.study.claims import terminal
from tests.study.claims import folders


@pytest.fixture
def record(judged, tmp_path):
    path = tmp_path / "claims.json"
    path.write_text(json.dumps(claims.to_json(judged, "cifar10")))
    return path


@pytest.fixture
def judged_once(judged, monkeypatch):
    """Claims as they are of the untouched folder, which takes a second to say anew."""
    monkeypatch.setattr(claims, "judge", lambda _: judged)


def shown(*arguments):
    """The exit code, and the lines."""
    out = io.StringIO()
    return terminal.run(*arguments, out), [line.rstrip() for line in out.getvalue().splitlines()]


def test_claims_with_their_numbers_side_by_side(study):
    (study / "filter-identify/responses.csv").unlink()
    code, lines = shown(study, None)
    assert code == 0
    assert max(map(len, lines)) <= 100
    table = [line.split() for line in lines]
    assert table[0] == ["#", "on", "cifar10", "claim", "published", "measured"]
    assert ["dropout", "0.3", "0.8511", "0.8511"] in table
    assert ["net4,", "parameters", "4,403,518", "4,403,518"] in table
    assert ["window", "3", "-", "0.9000"] in table
    assert "20  not measured      Two runs of the pipeline give the same bytes." in lines
    assert "13  holds (one seed)  net4: mean test accuracy is higher" in "\n".join(lines)
    assert "a goal of this project, not a finding of the study" in map(str.strip, lines)
    assert not [line for line in lines if line.split()[1:2] == ["holds"] and "seed" not in line]
    ends = {len(line) for line in lines if line.endswith(("0.8511", "4,403,518", "measured"))}
    assert len(ends) == 1
    assert lines[-3:] == [
        "45 findings of the study, each of one seed, and one goal of this project.",
        "The findings are about cifar10, measured on cifar10: 43 hold, 0 do not, 2 not measured.",
        "Judged on the study's own grids: 43 of these 43.",
    ]


def test_grids_that_are_not_the_study_s_are_named(study):
    folders.write(study, {"train/net2/params": {"train": {}, "net": {"epochs": 8}}})
    rows = [line.strip() for line in shown(study, None)[1]]
    assert rows.count("net2 not as in the study") == 9
    assert rows[-1] == "Judged on the study's own grids: 36 of these 45."


@pytest.mark.usefixtures("judged_once")
def test_color_is_for_terminals(study, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" not in "".join(shown(study, None)[1])
    screen = io.StringIO()
    screen.isatty = lambda: True
    terminal.run(study, None, screen)
    assert "\x1b[32mholds" in screen.getvalue()


def test_claims_that_held_and_do_not_any_more_are_named(study, record, monkeypatch):
    assert shown(study, record)[0] == 0
    rising = "class,images,window,confidence\nall,9,3,0.5\nall,9,5,0.6"
    folders.write(study, {"occlusion/fall_with_window": rising})
    (study / "train/baseline/by_lr_batch_size.csv").unlink()
    now = claims.judge(study)
    monkeypatch.setattr(claims, "judge", lambda _: now)
    code, lines = shown(study, record)
    assert code == 1
    assert [line for line in lines if line.startswith("Claim ")] == [
        f"Claim 1 held in {record}: now not measured.",
        f"Claim 14 held in {record}: now does not hold.",
        f"Claim 38 held in {record}: now not measured.",
    ]
    # what did not hold before is not lost
    record.write_text(json.dumps(claims.to_json(now, "cifar10")))
    assert shown(study, record)[0] == 0


@pytest.mark.usefixtures("judged_once")
def test_other_data_is_pointed_out(study, record):
    folders.write(study, {"download/dataset": {"name": "digits"}})
    code, lines = shown(study, record)
    assert (code, lines[-1]) == (0, f"{record} was measured on cifar10, this on digits.")
