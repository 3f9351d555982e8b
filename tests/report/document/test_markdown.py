import io
import re

import pandas as pd
import pytest
from tests.report.document import folders, read

from convscope.report.document import columns, markdown

HOSTILE = ["a|b", "*c*", "_d_", "<e>", "`f`", "[g](h)", "# i", "~~j~~", "\\k", "&lt;", "$l$"]


def grid(content, classes=False):
    frame = pd.read_csv(io.StringIO(content))
    headings = columns.of_classes(frame, columns.COUNT) if classes else {}
    return markdown.grid(frame, headings).splitlines()


def test_every_table_is_rectangular(text):
    blocks = [block for block in text.split("\n\n") if block.startswith("| ")]
    assert len(blocks) > 20
    for block in blocks:
        assert len({len(read.BAR.split(line)) for line in block.splitlines()}) == 1, block


def test_a_table_that_a_reader_opens_is_folded(text):
    summary = "The network of the best run, layer by layer: 62,006 parameters</summary>"
    inside = text.split(f"<details><summary>{summary}\n\n")[1].split("</details>")[0]
    path = "train/baseline/layers.csv"
    assert inside.startswith(f"[{path}]({path})\n\n| Layer |")


def test_class_names_mean_nothing_to_markdown(text):
    assert '\n| &lt;script&gt;alert("1")&lt;/script&gt; | 5,000 |' in text
    assert "\n| a&#124;b &#42;c&#42; | 400 |" in text
    assert folders.EVIL not in text
    assert markdown.link("a b/(c).csv") == "[a b/(c).csv](a%20b/%28c%29.csv)"
    assert not re.search(r"<(?!/?(div|details|summary|br|a)\b)", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_data_is_escaped_once_and_everywhere(name):
    escaped = markdown.escape(name)
    assert read.words(escaped) == name
    assert not re.search(r"[\\`*\[\]<>|~$]|^#|\b_|_\b", re.sub(r"&#?\w+;", "", escaped))
    assert markdown.escape(escaped) is escaped
    shown = markdown.table(pd.DataFrame({name: [name]}), "a.csv", name, folded=True)
    assert shown.count(escaped) == 3
    assert name not in shown or name == escaped


def test_names_with_underscores_stay_readable_and_text_stays_on_its_line():
    assert markdown.escape("l1_oc and\n\nmap_3.csv") == "l1_oc and map_3.csv"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run `dvc *repro*` or *not*", "run `dvc *repro*` or &#42;not&#42;"),
        ("`a` & `b`, then", "`a` &amp; `b`, then"),
        ("a lone ` is none", "a lone &#96; is none"),
    ],
)
def test_what_stands_between_backticks_is_code(text, shown):
    assert markdown.prose(text) == shown


def test_columns_have_headings_and_kinds_and_those_named_after_classes_have_not():
    assert grid("net,loss\nnet1,1.23456789\n") == [
        "| Net | Loss |",
        "| --- | ---: |",
        "| net1 | 1.2346 |",
    ]
    assert grid("true,loss,x_std\nloss,1000,2\nx,3,4\n", classes=True) == [
        "| True class | loss | x_std |",
        "| --- | ---: | ---: |",
        "| loss | 1,000 | 2 |",
        "| x | 3 | 4 |",
    ]


def test_a_spread_goes_into_its_means_cell_and_a_missing_one_leaves_the_mean():
    assert grid("l1_oc,test_accuracy,test_accuracy_std\n6,0.5,\n8,0.25,0.125\n10,,\n")[2:] == [
        "| 6 | 50.00% |",
        "| 8 | 25.00% ± 12.50% |",
        "| 10 | – |",  # noqa: RUF001
    ]


@pytest.mark.parametrize("name", ["loss", "test_accuracy", "p_value", "kernel_size"])
def test_a_word_among_numbers_is_refused(name):
    with pytest.raises(ValueError, match=f"column {name} holds something that is not a number"):
        grid(f"{name}\nhigh\n")
