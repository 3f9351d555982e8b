import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from convscope.report import explorer
from convscope.report.explorer import page

EVIL = "</script><b>&amp;\"'<!--"
MODULES = {path.stem for path in (Path(explorer.__file__).parent / "web").glob("*.js")}
VOID = {"meta", "input"}  # elements that do not end


def content(**changes):
    return {"net": "net4", "side": 32, "classes": ["cat", "dog"], "network": None, **changes}


class Read(HTMLParser):
    """The elements of a page, and the text of those that have an id, or are the title."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.elements.append((tag, named))
        if tag not in VOID:
            self.open.append(named.get("id", tag))

    def handle_endtag(self, _):
        self.open.pop()

    def handle_data(self, data):
        for name in self.open[-1:]:
            self.texts[name] = self.texts.get(name, "") + data


def data(read):
    return json.loads(read.texts["data"])


def test_the_page_holds_what_was_found_as_it_was():
    found = content(numbers=[1.5, -2, None, True], text="é 和 \u2028")
    read = Read(page.render(found, "Hello."))
    assert data(read) == found
    assert read.texts["title"] == "net4, live"


@pytest.mark.parametrize(
    "name", [EVIL, "</SCRIPT >", "<script>alert(1)</script>", "\\", "{{ net }}"]
)
def test_no_name_breaks_out_of_its_place(name):
    usual = Read(page.render(content(), "It tells cat and dog apart."))
    found = content(net=name, classes=[name, "dog"])
    read = Read(page.render(found, f"{name} tells {name} apart."))
    assert data(read) == found
    assert [tag for tag, _ in read.elements] == [tag for tag, _ in usual.elements]
    assert read.texts["script"] == usual.texts["script"]
    assert read.texts["title"] == f"{name}, live"
    assert f"{name} tells {name} apart." in read.texts["p"]


def test_the_page_needs_no_other_file_and_may_load_none():
    text = page.render(content(), "Hello.")
    read = Read(text)
    (policy,) = [named["content"] for tag, named in read.elements if "http-equiv" in named]
    assert policy == (
        "default-src 'none'; worker-src blob:; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'"
    )
    for _, named in read.elements:
        assert not named.keys() & {"src", "srcset", "action", "onclick", "onload", "style"}
    links = [named["href"] for tag, named in read.elements if "href" in named]
    assert set(links) == {"report.html"}
    assert not re.search(r"https?:|url\(|@import", text)


def test_its_link_to_the_report_can_lead_elsewhere_and_nothing_else_changes():
    found = content(classes=['href="report.html"', "dog"])
    text = page.render(found, 'href="report.html"')
    read = Read(page.leading_to('../a b/"report".md', text))
    links = [named["href"] for _, named in read.elements if "href" in named]
    assert links == ["../a%20b/%22report%22.md"]
    assert data(read) == found
    assert page.leading_to("report.html", text) == text


def test_ids_are_unique_and_labels_and_references_name_what_there_is():
    elements = Read(page.render(content(), "Hello.")).elements
    ids = [named["id"] for _, named in elements if "id" in named]
    assert len(ids) == len(set(ids))
    for _, named in elements:
        for key in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            assert set(named.get(key, "").split()) <= set(ids)


def test_the_same_bytes_twice():
    assert page.render(content(), "Hello.") == page.render(content(), "Hello.")


def modules(script):
    return re.findall(r"^const \$(\w+) = \(\(\) => \{$", script, re.MULTILINE)


def test_each_module_is_in_the_script_once_after_those_that_it_needs():
    found = modules(page.script("main"))
    assert sorted(found) == sorted(MODULES - {"worker"})
    assert found[-1] == "main"
    assert modules(page.script("worker")) == ["network", "data", "worker"]
    for name in ("main", "worker"):
        lines = page.script(name).splitlines()
        for at, line in enumerate(lines):
            if needed := re.match(r"const \{.*\} = \$(\w+);$", line):
                assert f"const ${needed[1]} = (() => {{" in lines[:at]


@pytest.mark.parametrize("name", ["main", "worker"])
def test_nothing_is_left_that_only_a_module_may_say(name):
    script = page.script(name)
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "</" not in script
    assert "<!--" not in script


def test_names_that_a_module_exports_are_given_to_others_and_no_others_are():
    script = page.script("worker")
    start = script.index("const $network")
    body = script[start : script.index("const $data")]
    assert body.rstrip().endswith(
        "return { GRAY, CHANNELS, Network, pixelsNow, reached, softmax };\n})();"
    )
