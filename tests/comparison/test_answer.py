import re

import pytest
import scipy
from markdown_it import MarkdownIt
from tests.comparison import states

from convscope.comparison import answer
from convscope.report.document import columns

DASH = columns.NOTHING
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


@pytest.fixture
def compared(tmp_path):
    """A function of changed files: the answer to what is different with them."""

    def compare(changes=None, seconds=7.0, **before):
        earlier = states.write(tmp_path / "before", states.files() | before)
        later = states.write(tmp_path / "after", states.files() | (changes or {}), "", seconds)
        return answer.answer(earlier, later)

    return compare


def section(found, title):
    """The text below a heading."""
    return found.text.split(f"### {title}")[1].split("\n### ")[0].partition("\n")[2].strip()


def rows(found, title):
    """The cells of the table below a heading, as a reader sees them, without those of its head."""
    tokens = MARKDOWN.parse(section(found, title))
    body = [at for at, token in enumerate(tokens) if token.type in ("tbody_open", "tbody_close")]
    table, row = [], []
    for token in tokens[slice(*body)]:
        if token.type == "inline":
            text = "".join(child.content for child in token.children)
            row.append(text.replace("\N{NO-BREAK SPACE}", " "))
        elif token.type == "tr_close":
            table.append(row)
            row = []
    return table


def test_two_equal_states_are_said_to_be_equal(compared):
    found = compared()
    assert found.text.startswith(f"{answer.MARKER}\n## before → after\n")
    assert found.lost == ()
    assert (
        "Every claim that held still holds: 1 of 2 claims held before, 1 hold after." in found.text
    )
    for title in ("Parameters", "Other numbers", "Accuracy curves", "Figures"):
        assert section(found, title) == "None is different."
    assert section(found, "Claims") == "No verdict is different."
    assert section(found, "Training") == "All 2 runs are those of before."
    interval = "80.00 % (49.00 to 94.33)"
    assert rows(found, "Test accuracy") == [
        ["net1", interval, interval, "+0.00", "0", "0", "1.000"]
    ]


def test_parameters_by_their_dotted_keys_before_and_after(compared):
    changed = {"nets": {"net1": {"epochs": 5, "flip": 0.5}}, "occlusion": {"seed": 0}}
    assert rows(compared({"params.yaml": changed}), "Parameters") == [
        ["nets.net1.epochs", "3", "5"],
        ["nets.net1.l1_oc", "[4, 6]", DASH],
        ["nets.net1.flip", DASH, "0.5"],
    ]


def test_accuracies_with_their_intervals_and_the_images_that_only_one_gets_right(compared):
    predicted = "".join(f"{image},1,{int(image > 0)}\n" for image in range(10))
    found = compared(
        {
            "reports/evaluate/best.csv": (
                "net,test_accuracy,low,high\nnet1,0.9,0.5958,0.9821\nnet2,0.5,0.25,0.75\n"
            ),
            "reports/evaluate/predictions.csv": f"image,label,net1\n{predicted}",
            "reports/evaluate/metrics.json": {"net1_test_accuracy": 0.9},
        }
    )
    p_value = f"{scipy.stats.binomtest(1, 3).pvalue:.3f}"
    both = ["80.00 % (49.00 to 94.33)", "90.00 % (59.58 to 98.21)"]
    assert rows(found, "Test accuracy") == [
        ["net1", *both, "+10.00", "1", "2", p_value],
        ["net2", DASH, "50.00 % (25.00 to 75.00)", *[DASH] * 4],
    ]
    assert section(found, "Other numbers") == "None is different."


def test_images_of_other_data_are_not_compared_one_by_one(compared):
    found = compared({"reports/download/dataset.json": {"name": "cifar10", "fingerprint": "e"}})
    assert "Before was measured on digits, after on cifar10." in found.text
    assert rows(found, "Test accuracy")[0][3:] == ["+0.00", *[DASH] * 3]


def test_numbers_of_training_are_among_them_but_for_the_accuracies_told_above(compared):
    found = compared(
        {
            "reports/train/net1/metrics.json": {"test_accuracy": 0.5, "study_accuracy": 0.4},
            "reports/train/baseline/metrics.json": {"test_accuracy": 0.3},
        }
    )
    assert {name for name, *_ in rows(found, "Other numbers")} == {
        "net1: study_accuracy",
        "baseline: test_accuracy",
    }


def test_other_numbers_that_changed_accuracies_with_intervals(compared):
    found = compared(
        {
            "reports/occlusion/metrics.json": {"confidence_3": 0.5, "images": 2},
            "reports/filter-ablation/metrics.json": {"accuracy_after": 0.5, "images": 5},
        }
    )
    assert rows(found, "Other numbers") == [
        ["occlusion: confidence_3", "0.75", "0.5"],
        ["filter-ablation: accuracy_after", DASH, "50.00 % (23.66 to 76.34)"],
        ["filter-ablation: images", DASH, "5"],
        ["occlusion: images", DASH, "2"],
    ]


def test_a_goal_of_this_project_is_not_counted_among_the_findings(compared):
    goal = states.claim(20, "holds") | {"goal": True}
    judged = [states.claim(1, "holds"), states.claim(2, "does not hold"), goal]
    found = compared({"reports/claims.json": {"claims": judged}})
    assert "1 of 2 claims held before, 1 hold after." in found.text
    assert "20" in found.text


def test_a_claim_that_no_longer_holds_comes_first(compared):
    judged = [states.claim(1, "does not hold", "0.5 | less"), states.claim(2, "holds")]
    found = compared({"reports/claims.json": {"claims": judged}})
    assert found.lost == (1,)
    assert (
        "**Claim 1 held and no longer does.** 1 of 2 claims held before, 1 hold after."
        in found.text
    )
    assert rows(found, "Claims") == [
        ["1", "holds", "does not hold: 0.5 | less", "Finding 1."],
        ["2", "does not hold", "holds", "Finding 2."],
    ]


@pytest.mark.parametrize("verdict", ["does not hold", "not measured", None])
def test_a_claim_that_can_no_longer_be_judged_is_lost_too(verdict, compared):
    judged = [states.claim(1, verdict)] if verdict else []
    assert compared({"reports/claims.json": {"claims": judged}}).lost == (1,)


def test_curves_are_charts_by_epoch_in_which_a_shorter_one_ends_earlier(compared):
    history = "run,epoch,test_accuracy\n2,1,0.6\n2,2,0.75\n"
    found = compared({"models/net1/history.csv": history})
    (chart,) = re.findall(r"```mermaid\n(.*?)```", found.text, re.DOTALL)
    assert '  x-axis "epoch" [1, 2, 3]\n' in chart
    assert '  y-axis "test accuracy (%)" 50 --> 81\n' in chart
    assert '  line "before" [50.0, 70.0, 80.0]\n  line "after" [60.0, 75.0]\n' in chart


def test_a_network_of_one_state_has_one_line_in_that_states_color(compared):
    found = compared(
        {
            "models/net2/best.json": {"run": 1},
            "models/net2/history.csv": "run,epoch,test_accuracy\n1,1,1\n",
        }
    )
    assert f'plotColorPalette: "{answer.COLORS["after"]}"' in found.text
    assert 'y-axis "test accuracy (%)" 99 --> 100\n  line "after" [100.0]\n' in found.text


def test_long_curves_show_epochs_that_are_as_far_apart_and_the_last(compared):
    lines = "".join(f"2,{epoch},{epoch / 200}\n" for epoch in range(1, 101))
    found = compared({"models/net1/history.csv": f"run,epoch,test_accuracy\n{lines}"})
    assert f'x-axis "epoch" {[*range(4, 101, 4)]}\n' in found.text
    assert f'line "after" {[epoch / 2 for epoch in range(4, 101, 4)]}\n' in found.text


def test_figures_are_named_that_changed_came_or_went(compared):
    found = compared(
        {"reports/occlusion/maps.png": b"another", "reports/new.png": b"n"},
        **{"reports/old.png": b"o"},
    )
    assert rows(found, "Figures") == [
        ["reports/occlusion/maps.png", "changed"],
        ["reports/old.png", "gone"],
        ["reports/new.png", "new"],
    ]


def test_what_was_trained_and_why(compared):
    runs = {name: states.run(name) for name in "cdefg"}
    runs["c"]["point"]["l1_oc"] = 8
    runs["d"]["settings"]["epochs"] = 5
    runs["d"]["identity"] |= {"code": "other", "torch": "2.14.0"}
    runs["e"] |= {"net": "net9"}
    runs["f"]["point"] |= {"l1_oc": 10, "lr": 0.1}
    runs["f"]["settings"]["augment"] = {"flip": 0.5}
    runs["g"]["identity"]["layers"] = "other"
    found = compared({f"models/net1/runs/{name}/run.json": run for name, run in runs.items()})
    assert rows(found, "Training") == [
        ["net1", "1", "new: l1_oc 8"],
        ["net1", "1", "epochs 3 → 5; other training code; torch 2.13.0 → 2.14.0"],
        ["net9", "1", "no run of this network"],
        ["net1", "1", "new: lr 0.1, l1_oc 10; augment.flip 0.0 → 0.5"],
        ["net1", "1", "another layer list"],
    ]


def test_what_it_took(compared):
    log = (
        "stage,run,fingerprint,seconds,device\ntrain@net1,c,c,61.5,cpu\ntrain@net1,d,d,62,cpu\n"
        "train@net1,,g,124,cpu\nreport,,h,1,cpu\n"
    )
    found = compared({"logs/timings.csv": log}, seconds=130.4)
    assert rows(found, "Time") == [
        ["before", "7 s", "none", "none"],
        ["after", "2 min 10 s", "train@net1, report", "2 runs, 2 min 4 s added up"],
    ]


def test_of_a_state_that_left_nothing_nothing_is_said(tmp_path):
    (tmp_path / "before").mkdir()
    later = states.write(tmp_path / "after", states.files())
    found = answer.answer(answer.State("before", tmp_path / "before", 1.0), later)
    assert found.lost == ()
    assert "No claims were judged before." in found.text
    assert rows(found, "Claims")[0] == ["1", "not judged", "holds", "Finding 1."]
    assert rows(found, "Training") == [["net1", "2", "no run of this network"]]


@pytest.mark.parametrize("place", [name for name in states.files() if not name.endswith(".png")])
@pytest.mark.parametrize("damage", ["", "[", "1", "[1]", '{"claims": [{}], "run": []}', "a,b\n"])
def test_what_an_earlier_state_wrote_otherwise_is_left_out(place, damage, compared):
    compared(**{place: damage})


def test_what_is_in_files_stays_in_its_cell(compared):
    evil = "a | b ` c\n| x | <b>*d*</b> [e](f) "
    params = {evil: evil}
    judged = [states.claim(1, "holds"), states.claim(2, "holds") | {"statement": evil}]
    found = compared({"params.yaml": params, "reports/claims.json": {"claims": judged}})
    assert all(len(row) == 3 for row in rows(found, "Parameters"))
    (row,) = rows(found, "Claims")
    assert row[3] == "a | b ` c | x | <b>*d*</b> [e](f)"


def test_an_answer_is_short_enough_for_a_comment(compared):
    params = {f"key{number}": "x" * 500 for number in range(500)}
    found = compared(
        {
            "params.yaml": params,
            "reports/occlusion/metrics.json": {f"{'n' * 200}{at}": at for at in range(500)},
            **{f"reports/{'f' * 100}{at}.png": b"new" for at in range(200)},
        }
    )
    assert len(rows(found, "Parameters")) == answer.ROWS
    assert f"{503 - answer.ROWS} more are not shown." in section(found, "Parameters")
    assert len(found.text) < 65_536 / 2
