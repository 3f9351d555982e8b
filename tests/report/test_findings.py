from convscope.report import findings, markdown
from convscope.report.document import Document, Facts, Judgments, Text
from convscope.report.images import OFFICIAL_ARCHIVES, Images
from convscope.study.claims import Claim, Verdict

WIDE = Claim(
    number=2,
    section="net1",
    statement="net1: wider is better.",
    rule="train/net1/best.csv: l1_oc is the largest.",
    verdict=Verdict.DOES_NOT_HOLD,
    published={"l1_oc": 18, "test_accuracy": 0.6704},
    measured={"l1_oc": 6, "drop, points": 2.5},
    why="the best run's l1_oc is 6, not 18",
    differing=("net1",),
)
SAME = Claim(20, "pipeline", "Same bytes.", "Two runs.", Verdict.NOT_MEASURED, {}, {}, "")
HOLDS = Claim(
    3, "filter-identify", "Some die.", "dead is true.", Verdict.HOLDS, {}, {"dead": 1}, ""
)
CLAIMS = (WIDE, HOLDS, SAME)
SECTIONS = {"train-net1", "reproduce"}


def section(images=Images("digits")):  # noqa: B008 - it is frozen
    return findings.section(CLAIMS, images, SECTIONS)


def about(name, md5=""):
    return next(part.text for part in section(Images(name, md5)).parts if isinstance(part, Text))


def listed():
    (found,) = [part for part in section().parts if isinstance(part, Judgments)]
    return found


def test_verdicts_are_counted():
    (facts,) = [part for part in section().parts if isinstance(part, Facts)]
    assert [(fact.label, fact.value, fact.details) for fact in facts.facts] == [
        ("Holds", "1", ("of 3 claims", "1 of them on the study's own grids")),
        ("Does not hold", "1", ("of 3 claims", "0 of them on the study's own grids")),
        ("Not measured", "1", ("of 3 claims",)),
    ]


def test_the_data_that_was_judged_on_is_named():
    assert "findings are about CIFAR-10. They" in about("digits")
    assert "measured on digits: a verdict tells what carries over" in about("digits")
    assert "measured on the same images." in about("cifar10", OFFICIAL_ARCHIVES[1])
    assert (
        "measured on CIFAR-10 (not an official archive): its pixels may differ from the study's. "
        "A claim is judged wherever"
    ) in about("cifar10", "0123")
    assert "measured on unknown images:" in about("")


def test_claims_link_to_the_sections_that_the_report_has():
    assert listed().source == "claims.json"
    assert [(each.number, each.verdict, each.section) for each in listed().judged] == [
        (2, "does not hold", "train-net1"),
        (3, "holds", ""),
        (20, "not measured", "reproduce"),
    ]


def test_published_and_measured_numbers_are_side_by_side():
    numbers = listed().judged[0].numbers
    assert [column.label for column in numbers.columns] == ["Number", "Published", "Measured"]
    assert [[cell.text for cell in row.cells] for row in numbers.rows] == [
        ["l1_oc", "18", "6"],
        ["test_accuracy", "0.6704", "–"],  # noqa: RUF001
        ["drop, points", "–", "2.50"],  # noqa: RUF001
    ]
    assert listed().judged[2].numbers.rows == ()


def test_markdown_has_the_verdict_the_numbers_and_the_folded_rule():
    text = markdown.render(Document("t", "s", (section(),)))
    claim = text.split("([claims.json](claims.json))\n\n")[1].split("\n\n**3.")[0]
    assert claim == (
        "**2. net1: wider is better.** net1: **does not hold** (net1 not as in the study)\n\n"
        "| Number | Published | Measured |\n"
        "| --- | ---: | ---: |\n"
        "| l1_oc | 18 | 6 |\n"
        "| test_accuracy | 0.6704 | – |\n"  # noqa: RUF001
        "| drop, points | – | 2.50 |\n\n"  # noqa: RUF001
        "Remark: the best run's l1_oc is 6, not 18.\n\n"
        "<details><summary>Rule</summary>\n\n"
        "train/net1/best.csv: l1_oc is the largest.\n\n"
        "</details>"
    )
    assert text.endswith(
        "**20. Same bytes.** pipeline: **not measured**\n\n"
        "<details><summary>Rule</summary>\n\nTwo runs.\n\n</details>\n"
    )
