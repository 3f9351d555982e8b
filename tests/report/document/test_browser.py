"""The page in a real browser: what its script does, and how it fits a phone."""

import pytest
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN

from convscope.report.document import html
from convscope.study.claims import RULES


@pytest.fixture(scope="module")
def report(text, finished, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.render(text, finished), encoding="utf-8")
    return path


@pytest.fixture(params=[PHONE, SCREEN], ids=["phone", "screen"])
def page(report, visit, request):
    """The report at the width of a phone and of a screen."""
    return visit(report, size=request.param)


def test_a_heading_sorts_up_then_down_then_as_filed(page):
    table = page.locator("#data table").first
    head = table.locator("thead tr").first.locator("th, td").nth(1)
    cells = table.locator("tbody tr > :nth-child(2)")
    up, down = ["400", "5,000"], ["5,000", "400"]
    for order, values in (("ascending", up), ("descending", down), ("none", down)):
        head.locator("button").click()
        expect(head).to_have_attribute("aria-sort", order)
        expect(cells).to_have_text(values)


def test_a_figure_is_enlarged_and_closed_again(page):
    dialog = page.locator("dialog")
    expect(dialog).to_be_hidden()
    page.locator(".enlarge").first.click()
    expect(dialog).to_be_visible()
    assert dialog.locator("img").get_attribute("src").startswith("data:image/png;")
    expect(dialog.locator("p")).to_have_text("The first training images of each class")
    dialog.locator("button").click()
    expect(dialog).to_be_hidden()


def test_claims_have_their_verdicts_and_numbers_and_rules_that_unfold(page):
    claims = page.locator("#claims .claim")
    expect(claims).to_have_count(len(RULES))
    claim = claims.first
    rule = claim.locator("details p").first
    expect(rule).to_be_hidden()
    claim.locator("summary").click()
    expect(rule).to_be_visible()
    verdict = claim.locator("p strong").first
    expect(verdict).to_have_text("not measured")
    mark = verdict.evaluate("element => getComputedStyle(element, '::before').content")
    assert mark == '"? "'
    expect(claim.locator("p:nth-child(2)").first).to_have_text(
        "1. Of six settings, lr 0.01 with batch 128 has the highest mean test accuracy."
    )
    cells = claim.locator(".box td").all_text_contents()[:3]
    assert cells == ["lr 0.01, batch 128", "0.4896", "–"]  # noqa: RUF001


def test_the_page_fits_and_its_contents_are_folded_on_a_phone(page):
    contents = page.locator("nav details")
    assert (contents.get_attribute("open") is None) is (page.viewport_size["width"] == PHONE[0])
    needed, width = page.evaluate(
        """() => {
          for (const each of document.querySelectorAll("main details")) each.open = true;
          return [document.documentElement.scrollWidth, innerWidth];
        }"""
    )
    assert needed <= width
