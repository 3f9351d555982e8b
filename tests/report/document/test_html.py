import base64
import io
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from PIL import Image
from tests.report.document import folders

from convscope.base.errors import UserError
from convscope.report.document import html

LOADING = {"src", "href", "srcset", "action", "poster", "data"}


class Page(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def attributes(self, name: str) -> list[str]:
        return [found[name] for _, found in self.tags if found.get(name) is not None]


@pytest.fixture(scope="module")
def source(text, finished):
    return html.render(text, finished)


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def rows(source, name):
    """The rows of a table by its name, cells between bars."""
    body = source.split(f'aria-label="{name}">')[1].split("<tbody>")[1].split("</tbody>")[0]
    texts = [re.sub("<[^>]*>", "", row).strip() for row in body.split("</tr>")[:-1]]
    return [unescape(text).replace("\n", " | ") for text in texts]


def test_tables_are_the_markdowns_own(source):
    assert rows(source, "By learning rate (train/baseline/by_lr.csv)") == [
        "0.001 | 2.2500 | 25.00% | 12.50% | 0.00 | 62,006",
        "0.01 | 1.5000 | 50.00% | 37.50% | 1.00 | 62,006",
    ]


def test_hostile_class_names_stay_text(page, source):
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 1
    files = ["Images of each class (download/class_counts.csv)"]
    for name in [*files, "Accuracy by class (evaluate/class_accuracy.csv)"]:
        classes = [row.split(" | ")[0] for row in rows(source, name)]
        assert classes == [folders.EVIL, folders.PIPED]


def test_nothing_is_loaded_from_elsewhere(page, source):
    links = [value for name in LOADING for value in page.attributes(name)]
    assert not [link for link in links if "://" in link or link.startswith("//")]
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base"}
    assert not re.search(r"url\(|@import", source)
    assert "default-src 'none'" in page.attributes("content")[-1]


def test_every_picture_is_inside_and_complete(page, finished):
    pictures = [found for tag, found in page.tags if tag == "img" and "src" in found]
    assert len(pictures) == len(list(finished.rglob("*.png")))
    for picture in pictures:
        head, content = picture["src"].split(",")
        assert head == "data:image/png;base64"
        with Image.open(io.BytesIO(base64.b64decode(content, validate=True))) as image:
            assert image.size == (int(picture["width"]), int(picture["height"]))
            image.verify()
        assert picture["alt"]


def test_every_link_leads_somewhere(page, finished):
    anchors = set(page.attributes("id"))
    for link in page.attributes("href"):
        if link.startswith("#"):
            assert unquote(link[1:]) in anchors
        else:
            # other stages write these next to the page
            beside = ("claims.json", "explore.html")
            assert (finished / unquote(link)).is_file() or link in beside, link


def test_sections_have_ids_of_their_own_and_an_entry_in_the_contents(page):
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    sections = [each for each in ids if "-run-" not in each]
    assert len(sections) == 13
    assert {f"#{each}" for each in sections} <= set(page.attributes("href"))


def test_the_overall_row_is_marked_as_a_total_and_the_best_as_such(source):
    assert source.count('<tr class="total">') == 1
    assert '<tr class="total">\n<td><strong>overall' in source
    # the best of the networks, and of each grid by learning rate and among its runs
    assert source.count('<tr class="best">') == 1 + 2 * 3


def test_a_caption_with_markdown_in_it_stays_text(reports):
    text = '# a: b\n\n## x &#42;y&#42; &lt;i&gt; <a id="x"></a>\n\n![p &#96;q&#96;](a%20b.png)\n'
    folders.replace(reports / "a b.png", folders.PNG)
    shown = html.render(text, reports)
    assert "<h2>x *y* &lt;i&gt;</h2>" in shown
    assert 'href="a%20b.png"' in shown
    assert 'alt="p `q`"' in shown


@pytest.mark.parametrize("content", [None, b"", b"GIF89a" + bytes(40), folders.PNG[:20]])
def test_what_is_not_a_picture_is_refused(content, text, reports):
    path = reports / "train/net2/curves.png"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    why = "is missing: run" if content is None else r"is damaged \(it is not a PNG file\): .* run"
    with pytest.raises(UserError, match=rf"curves\.png {why} `convscope train net2`"):
        html.render(text, reports)
