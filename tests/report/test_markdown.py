import re
from urllib.parse import unquote

import pytest

from convscope.report import markdown
from convscope.report.document import Code, Document, Section, Text
from tests.report import folders

BAR = re.compile(r"(?<!\\)\|")


@pytest.fixture
def text(reports):
    return markdown.render(folders.document(reports))


def rows(text, source):
    """The cells of the table under the caption that links a file."""
    block = text.split(f"]({source}))\n\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in BAR.split(line)[1:-1]] for line in block.splitlines()]


def test_numbers_are_the_files_rounded_and_the_best_is_bold(text):
    assert rows(text, "train/baseline/by_lr.csv")[2:] == [
        ["0.001", "2.2500", "25.00%", "12.50%", "0.00", "62,006"],
        ["**0.01**", "**1.5000**", "**50.00%**", "**37.50%**", "**1.00**", "**62,006**"],
    ]


def test_every_table_is_rectangular(text):
    blocks = [block for block in text.split("\n\n") if block.startswith("| ")]
    assert len(blocks) > 20
    for block in blocks:
        assert len({len(BAR.split(line)) for line in block.splitlines()}) == 1, block


def test_a_table_that_a_reader_opens_is_folded(text):
    fold = text.split("<details><summary>The network of the best run, layer by layer: ")[1]
    inside = fold.split("</details>")[0]
    assert inside.startswith(
        "62,006 parameters</summary>\n\n[train/baseline/layers.csv](train/baseline/layers"
    )
    assert "\n\n| Layer |" in inside


def test_class_names_mean_nothing_to_markdown(text):
    counts = rows(text, "download/class_counts.csv")
    assert counts[2][0] == r'\<script\>alert("1")\</script\>'
    assert counts[3][0] == r"a\|b \*c\*"


def test_names_with_underscores_stay_readable():
    parts = (Text("l1_oc and _this_"), Code(("dvc repro a_b",)))
    text = markdown.render(Document("t", "s", (Section("id", "title", parts),)))
    assert text == "# t: s\n\n## title\n\nl1_oc and \\_this\\_\n\n```\ndvc repro a_b\n```\n"


def test_what_stands_between_backticks_is_code():
    document = Document("t", "s", (Section("a", "A", (Text("run `dvc *repro*` or *not*"),)),))
    assert markdown.render(document).endswith("run `dvc *repro*` or \\*not\\*\n")
    document = Document("t", "s", (Section("a", "A", (Text("a lone ` is none"),)),))
    assert markdown.render(document).endswith("a lone \\` is none\n")


def test_text_stays_on_its_line():
    text = markdown.render(Document("t", "s", (Section("id", "a\n## b", ()),)))
    assert text == "# t: s\n\n## a \\#\\# b\n"


def test_every_link_and_picture_is_there(text, reports):
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert set(re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)) == {
        path.relative_to(reports).as_posix() for path in reports.rglob("*.png")
    }
    for link in links:
        # the stage writes the claims beside the text
        assert (reports / unquote(link)).is_file() or link == "claims.json", link


def test_the_same_folders_give_the_same_text(text, tmp_path):
    other = folders.write(tmp_path / "elsewhere" / "reports")
    assert markdown.render(folders.document(other)) == text
