import pytest
from tests.report.document import read

from convscope.report.document import page
from convscope.study.claims import Claim, Judgment, Verdict
from convscope.study.claims.claim import SeedVerdict

WIDE = Claim(
    number=2,
    section="net2",
    statement="net2: wider is better.",
    rule="train/net2/best.csv: l1_oc is the largest.",
    verdict=Verdict.DOES_NOT_HOLD,
    published={"l1_oc": 18, "test_accuracy": 0.6704},
    measured={"l1_oc": 6, "drop, points": 2.5},
    why="the best run's l1_oc is [6], not 18: run `dvc repro`",
    differing=("net2",),
    seeds=(SeedVerdict(0, Verdict.HOLDS, 1.0), SeedVerdict(1, Verdict.DOES_NOT_HOLD, -2.0)),
)
HOLDS = Claim(
    number=3,
    section="filter-identify",
    statement="Some die.",
    rule="dead.",
    verdict=Verdict.HOLDS,
    published={},
    measured={"dead": 1},
    one_network=True,
    seeds=(SeedVerdict(0, Verdict.HOLDS),),
)
UNMEASURED = {"verdict": Verdict.NOT_MEASURED, "published": {}, "measured": {}}
SAME = Claim(
    number=20,
    section="pipeline",
    statement="Same bytes.",
    rule="Two runs.",
    goal=True,
    **UNMEASURED,
)
OTHER = Claim(number=21, section="net1", statement="net1: gone.", rule="Nothing.", **UNMEASURED)
CLAIMS = (WIDE, HOLDS, SAME, OTHER)
BOTH = Claim(
    number=13,
    section="net4",
    statement="net4: less dropout is better.",
    rule="Means.",
    way="the study's way",
    verdict=Verdict.DOES_NOT_HOLD,
    published={"dropout 0.3": 0.9},
    measured={"dropout 0.3": 0.5},
    why="dropout 0.5 is at least as good",
    seeds=(SeedVerdict(0, Verdict.DOES_NOT_HOLD, -1.5),),
    usual=Judgment(
        way="the usual way",
        verdict=Verdict.HOLDS,
        measured={"dropout 0.3": 0.75},
        why="by little",
        seeds=(SeedVerdict(0, Verdict.HOLDS, 2.0),),
    ),
)


@pytest.fixture(scope="module")
def section(finished):
    return read.section(page.render(finished, CLAIMS), "claims")


def test_verdicts_are_counted(section):
    own = "of them on the study's own grids"
    assert read.words(section.split('<div class="facts">')[1].split("</div>")[0]) == (
        f"- [Holds](#claims) **1**<br>of 3 findings<br>1 {own} "
        f"- [Does not hold](#claims) **1**<br>of 3 findings<br>0 {own} "
        "- [Not measured](#claims) **1**<br>of 3 findings"
    )


ARCHIVES = ("c58f30108f718f92721af3b95e74349a", "c32a1d4ab5d03f1284b67883e8d87530")
OFFICIAL = [{"name": "cifar10", "md5": archive} for archive in ARCHIVES]


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ({"train_images": None}, "measured on the same images."),
        ({"train_images": 50_000, "test_images": 10_000}, "measured on the same images."),
        ({"train_images": 5_000}, "measured on a part of the same images."),
        ({"test_images": 500}, "measured on a part of the same images."),
    ],
)
def test_a_part_of_the_images_is_not_called_the_same_images(taken, words, changed):
    data = {"download/dataset.json": OFFICIAL[0], "download/params.json": {"data": taken}}
    report = changed(data, claims=CLAIMS)
    assert words in read.words(read.section(report, "claims"))


@pytest.mark.parametrize(
    ("data", "called", "about"),
    [
        # another data set's archive is never the study's
        ({**OFFICIAL[0], "name": "digits"}, "digits", ": a verdict says what carries over"),
        (OFFICIAL[0], "CIFAR-10", " the same images. A claim is judged wherever"),
        (OFFICIAL[1], "CIFAR-10", " the same images. A claim is judged wherever"),
        (
            *({"name": "cifar10", "md5": "0123"}, "CIFAR-10 (not an official archive)"),
            ": its pixels may differ from the study's. A claim is judged wherever",
        ),
        ({}, "unknown images", ": a verdict"),
        ({"name": None}, "unknown images", ": a verdict"),
    ],
)
def test_the_data_that_was_judged_on_is_named(data, called, about, changed):
    report = changed({"download/dataset.json": data}, claims=CLAIMS)
    assert report.startswith(f"# convscope: a study of convolutional networks on {called}\n")
    words = read.words(read.section(report, "claims"))
    # on other images a verdict never reads as one on the study
    assert (f"**holds (one seed) on {called}**" in words) is (data.get("name") != "cifar10")
    folded = '<details class="whole"><summary>Its findings and its numbers, which are of CIFAR-10'
    assert words.startswith(folded) is (data.get("name") != "cifar10")
    counts = (
        "Judged are 3 findings of the study, each of up to 2 seeds, and one goal of this project."
    )
    assert f"{counts} The findings are about CIFAR-10. They are judged" in words
    named = about if data in OFFICIAL else f" {called}{about}"
    assert f"measured on{named}" in words


def test_a_claim_has_its_verdict_its_numbers_and_the_folded_rule(section):
    claim = section.split("([claims.json](claims.json))\n\n")[1].split("\n<div")[0]
    assert claim == (
        '<div class="claim does-not-hold">\n\n'
        "**holds in 1 of 2 seeds**\n[net2](#train-net2)\n(net2 not as in the study)\n\n"
        "**2. net2: wider is better.**\n\n"
        "| Number | Published | Measured |\n"
        "| --- | ---: | ---: |\n"
        "| l1_oc | 18 | 6 |\n"
        "| test_accuracy | 0.6704 | – |\n"  # noqa: RUF001
        "| drop, points | – | 2.50 |\n\n"  # noqa: RUF001
        "Smallest margin -2 points, spread of the seeds 3 points.\n\n"
        "Remark: the best run's l1_oc is &#91;6&#93;, not 18: run `dvc repro`.\n\n"
        "<details><summary>Rule</summary>\n\n"
        "train/net2/best.csv: l1_oc is the largest.\n\n"
        "</details>\n\n</div>"
    )


def test_claims_link_to_the_sections_that_the_report_has(section):
    assert "**holds (one seed)**\n[filter-identify](#filter-identification)\n" in section
    assert "\n\nOf one network, seed 0.\n\n" in section
    ours = "(a goal of this project, not a finding of the study)"
    assert f"**not measured**\n[pipeline](#reproduce)\n{ours}\n" in section
    assert "**not measured**\nnet1\n" in section
    assert "**20. Same bytes.**\n\n<details><summary>Rule</summary>\n\nTwo runs.\n" in section


def test_a_claim_that_is_judged_in_both_ways_has_the_study_s_first(changed):
    report = changed({"download/dataset.json": OFFICIAL[0]}, claims=(BOTH,))
    claim = read.section(report, "claims").split('<div class="claim does-not-hold">')[1]
    assert "**does not hold (one seed)**" in claim
    assert "| Number | Published | Study's way | Usual way |" in claim
    assert "| dropout 0.3 | 0.9000 | 0.5000 | 0.7500 |" in claim
    assert read.words(claim.split("0.7500 |")[1].split("<details>")[0]) == (
        "In the study's way: margin -1.5 points. Remark: dropout 0.5 is at least as good. "
        "In the usual way: **holds (one seed)**, margin 2 points. Remark: by little."
    )
