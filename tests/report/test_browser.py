"""The page in a real browser: what its script does, and how it fits a phone."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

from convscope.report import html

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --virtual-time-budget=4000 "
    "--enable-logging=stderr --dump-dom"
)
# chromium's windows are at least 500 pixels wide, so the page is shown in a frame
FRAME = """<!DOCTYPE html><body><iframe src="report.html" width="{width}" height="800"
style="border:0"></iframe><output></output><script>
addEventListener("message", ({{ data }}) => {{
  document.querySelector("output").textContent = JSON.stringify(data);
}});
</script></body>"""
PROBE = """<script>
const probe = () => {{{probe}}};
addEventListener("load", () => parent.postMessage(probe(), "*"));
</script>"""

SORT = """
const table = document.querySelector("#data table");
const head = table.tHead.rows[0].cells[1];
const seen = [];
for (let click = 0; click < 3; click += 1) {
  head.querySelector("button").click();
  const values = [...table.tBodies[0].rows].map((row) => row.cells[1].textContent);
  seen.push([head.getAttribute("aria-sort"), ...values]);
}
return seen;
"""
ENLARGE = """
const dialog = document.querySelector("dialog");
const seen = [dialog.open];
document.querySelector(".enlarge").click();
seen.push(dialog.open, dialog.querySelector("img").src.slice(0, 15), dialog.textContent.trim());
dialog.querySelector("button").click();
seen.push(dialog.open);
return seen;
"""
CLAIMS = """
const shown = [...document.querySelectorAll("#claims .claim")];
const first = shown[0];
const verdict = first.querySelector("p strong");
const mark = getComputedStyle(verdict, "::before").content;
const rule = first.querySelector("details");
const hidden = rule.querySelector("p").checkVisibility();
rule.querySelector("summary").click();
const claims = [
  shown.length, verdict.textContent, mark,
  first.querySelector("p:nth-child(2)").textContent, hidden,
  rule.querySelector("p").checkVisibility(),
  [...first.querySelectorAll(".box td")].slice(0, 3).map((cell) => cell.textContent),
];
"""
WIDTH = """
for (const folded of document.querySelectorAll("main details")) folded.open = true;
return [
  ...claims, document.documentElement.scrollWidth, innerWidth,
  document.querySelector("nav details").open,
];
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the chromium browser")


@pytest.fixture
def in_browser(reports, text, tmp_path):
    def run(probe: str, width: int) -> object:
        script = PROBE.format(probe=probe)
        probed = html.render(text, reports).replace("</body>", f"{script}</body>")
        (reports / "report.html").write_text(probed, encoding="utf-8")
        frame = reports / "frame.html"
        frame.write_text(FRAME.format(width=width), encoding="utf-8")
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [CHROMIUM, *FLAGS.split(), profile, frame.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert "CONSOLE" not in done.stderr, done.stderr
        found = re.search("<output>(.*)</output>", done.stdout)
        assert found, done.stdout[-500:]
        return json.loads(unescape(found[1]))

    return run


def test_a_heading_sorts_up_then_down_then_as_filed(in_browser):
    assert in_browser(SORT, 1200) == [
        ["ascending", "400", "5,000"],
        ["descending", "5,000", "400"],
        ["none", "5,000", "400"],
    ]


def test_a_figure_is_enlarged_and_closed_again(in_browser):
    closed, opened, source, text, again = in_browser(ENLARGE, 1200)
    assert (closed, opened, again) == (False, True, False)
    assert source == "data:image/png;"
    assert text.startswith("The first training images of each class")


@pytest.mark.parametrize(("width", "contents"), [(390, False), (1200, True)])
def test_the_page_fits_and_its_claims_are_there_with_folded_rules(in_browser, width, contents):
    *claims, needed, given, contents_open = in_browser(f"{CLAIMS}{WIDTH}", width)
    assert (given, contents_open) == (width, contents)
    assert needed <= given
    assert claims == [
        20,
        "not measured",
        '"? "',
        "1. Of six settings, lr 0.01 with batch 128 has the highest mean test accuracy.",
        *(False, True),
        ["lr 0.01, batch 128", "0.4896", "–"],  # noqa: RUF001
    ]
