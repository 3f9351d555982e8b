import base64
import csv
import io
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from convscope.report import html
from convscope.report.document import Document, Section, Text
from tests.report import folders

LOADING = {"src", "href", "srcset", "action", "poster", "data"}


class Page(HTMLParser):
    """Every tag with its attributes, and for each table its rows of (text, value)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[list[str]]]] = {}
        self.texts: list[str] = []
        self.source = ""
        self.cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("class") == "source":
            self.source = found["href"]
        elif tag == "tr":
            self.tables.setdefault(self.source, []).append([])
        elif tag == "td":
            self.cell = ["", found["data-value"]]
            self.tables[self.source][-1].append(self.cell)

    def handle_endtag(self, tag):
        if tag == "td":
            self.cell = None

    def handle_data(self, data):
        self.texts.append(data)
        if self.cell is not None:
            self.cell[0] += data

    def attributes(self, name: str) -> list[str]:
        return [found[name] for _, found in self.tags if found.get(name) is not None]


@pytest.fixture
def page(reports):
    return Page(html.render(folders.document(reports)))


def test_cells_keep_the_files_own_text(page, reports):
    for name in ("train/baseline/by_lr.csv", "train/net2/by_lr.csv", "evaluate/class_accuracy.csv"):
        with (reports / name).open(newline="") as stream:
            _, *rows = csv.reader(stream)
        assert [[value for _, value in row] for row in page.tables[name][1:]] == rows


def test_shown_numbers_are_the_files_rounded(page):
    assert [[text for text, _ in row] for row in page.tables["train/baseline/by_lr.csv"][1:]] == [
        ["0.001", "2.2500", "25.00%", "12.50%", "0.00", "62,006"],
        ["0.01", "1.5000", "50.00%", "37.50%", "1.00", "62,006"],
    ]


def test_hostile_class_names_stay_text(page):
    scripts = [found for tag, found in page.tags if tag == "script"]
    assert len(scripts) == 1
    assert page.tables["download/class_counts.csv"][1][0] == [folders.EVIL, folders.EVIL]
    assert folders.EVIL in page.attributes("data-column")


def test_what_stands_between_backticks_is_code_and_nothing_else_is_markup():
    text = Text("run `dvc <repro>` & <b>wait</b>")
    page = html.render(Document("t", "s", (Section("a", "A", (text,)),)))
    assert "run <code>dvc &lt;repro&gt;</code> &amp; &lt;b&gt;wait&lt;/b&gt;" in page


def test_nothing_is_loaded_from_elsewhere(page):
    links = [value for name in LOADING for value in page.attributes(name)]
    assert not [link for link in links if "://" in link or link.startswith("//")]
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base"}
    assert not [text for text in page.texts if "url(" in text or "@import" in text]


def test_every_picture_is_inside_and_whole(page, reports):
    pictures = [found for tag, found in page.tags if tag == "img" and "src" in found]
    assert len(pictures) == len(list(reports.rglob("*.png")))
    for picture in pictures:
        head, content = picture["src"].split(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(content, validate=True))) as image:
            assert image.size == (int(picture["width"]), int(picture["height"]))
            image.verify()
        assert picture["alt"]


def test_every_link_leads_somewhere(page, reports):
    anchors = set(page.attributes("id"))
    for link in page.attributes("href"):
        if link.startswith("#"):
            assert unquote(link[1:]) in anchors
        else:
            # the stage writes the claims beside the page
            assert (reports / unquote(link)).is_file() or link == "claims.json", link


def test_sections_have_ids_of_their_own_and_an_entry_in_the_contents(page):
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {f"#{each}" for each in ids} <= set(page.attributes("href"))


def test_the_overall_row_is_no_part_of_what_is_sorted(page):
    tags = [tag for tag, _ in page.tags]
    totals = [index for index, tag in enumerate(tags) if tag == "tfoot"]
    assert len(totals) == 1
    assert tags[totals[0] : totals[0] + 3] == ["tfoot", "tr", "td"]


def test_the_page_names_no_path_of_this_machine(reports):
    text = html.render(folders.document(reports))
    assert str(reports.parent) not in text
    assert str(Path.home()) not in text


def test_the_same_folders_give_the_same_page(reports, tmp_path):
    other = folders.write(tmp_path / "elsewhere" / "reports")
    assert html.render(folders.document(reports)) == html.render(folders.document(other))
