"""The page in a real browser: what its script does, and how it fits a phone."""

import json
import re
from html import unescape

import pytest
from tests import browser

from convscope.report.document import html

# chromium's windows are at least 500 pixels wide, so the page is shown in a frame
FRAME = """<!DOCTYPE html><body><iframe src="report.html" width="{width}" height="800"
style="border:0"></iframe><output></output><script>
addEventListener("message", ({{ data }}) => {{
  document.querySelector("output").textContent = JSON.stringify(data);
}});
</script></body>"""
PROBE = """<script>
const probe = () => {
  const table = document.querySelector("#data table");
  const head = table.tHead.rows[0].cells[1];
  const sorted = [1, 2, 3].map(() => {
    head.querySelector("button").click();
    const values = [...table.tBodies[0].rows].map((row) => row.cells[1].textContent);
    return [head.getAttribute("aria-sort"), ...values];
  });

  const dialog = document.querySelector("dialog");
  const enlarged = [dialog.open];
  document.querySelector(".enlarge").click();
  const source = dialog.querySelector("img").src.slice(0, 15);
  enlarged.push(dialog.open, source, dialog.querySelector("p").textContent);
  dialog.querySelector("button").click();
  enlarged.push(dialog.open);

  const claims = [...document.querySelectorAll("#claims .claim")];
  const rule = claims[0].querySelector("details");
  const visible = () => rule.querySelector("p").checkVisibility();
  const folded = [visible()];
  rule.querySelector("summary").click();
  folded.push(visible());
  const verdict = claims[0].querySelector("p strong");
  const claim = [
    claims.length, verdict.textContent, getComputedStyle(verdict, "::before").content,
    claims[0].querySelector("p:nth-child(2)").textContent,
    ...[...claims[0].querySelectorAll(".box td")].slice(0, 3).map((cell) => cell.textContent),
  ];

  const contents = document.querySelector("nav details").open;
  for (const each of document.querySelectorAll("main details")) each.open = true;
  const needed = document.documentElement.scrollWidth;
  return { sorted, enlarged, folded, claim, contents, needed, width: innerWidth };
};
addEventListener("load", () => parent.postMessage(probe(), "*"));
</script></body>"""

pytestmark = browser.needed


@pytest.fixture(scope="module", params=[390, 1200])
def seen(request, text, finished, tmp_path_factory):
    """What the probe finds at the width of a phone and of a screen."""
    folder = tmp_path_factory.mktemp("page")
    probed = html.render(text, finished).replace("</body>", PROBE)
    (folder / "report.html").write_text(probed, encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(width=request.param), encoding="utf-8")
    shown = browser.loaded(frame, folder / "profile")
    found = re.search("<output>(.*)</output>", shown)
    assert found, shown[-500:]
    return {"asked": request.param, **json.loads(unescape(found[1]))}


def test_a_heading_sorts_up_then_down_then_as_filed(seen):
    up, down = ["400", "5,000"], ["5,000", "400"]
    assert seen["sorted"] == [["ascending", *up], ["descending", *down], ["none", *down]]


def test_a_figure_is_enlarged_and_closed_again(seen):
    caption = "The first training images of each class"
    assert seen["enlarged"] == [False, True, "data:image/png;", caption, False]


def test_claims_have_their_verdicts_and_numbers_and_rules_that_unfold(seen):
    assert seen["folded"] == [False, True]
    assert seen["claim"] == [
        *(20, "not measured", '"? "'),
        "1. Of six settings, lr 0.01 with batch 128 has the highest mean test accuracy.",
        *("lr 0.01, batch 128", "0.4896", "–"),  # noqa: RUF001
    ]


def test_the_page_fits_and_its_contents_are_folded_on_a_phone(seen):
    assert seen["needed"] <= seen["width"] == seen["asked"]
    assert seen["contents"] is (seen["asked"] == 1200)
