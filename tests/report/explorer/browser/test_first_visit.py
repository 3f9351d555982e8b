"""The first visit, which shows by itself what can be done; and those that want no show."""

import pytest
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN
from tests.report.explorer.browser.doing import answered, bars, close, held, shown_images, torchs


@pytest.fixture(params=[PHONE, SCREEN], ids=["phone", "screen"])
def page(explored, visit, request):
    return visit(explored.live, "", request.param, held)


def is_untouched(page, explored):
    expect(page.locator("#demo")).to_be_hidden()
    expect(page.locator("#place")).to_have_text("none")
    expect(page.locator("#on")).to_be_disabled()
    expect(page.locator("#filter")).to_be_hidden()
    close(bars(page)[1], torchs(explored, shown_images(page)[0]))


def test_it_covers_cuts_and_looks_and_leaves_all_as_it_was(page, explored):
    demo = page.locator("#demo")
    for seconds, words, done in (
        (2, "Cover it", ("#place", "8 \u00d7 8")),
        (3, "Cut it", ("#sentence", "conv3/2 off")),
        (2.5, "Look inside", ("#filter", "receptive field")),
    ):
        page.clock.run_for(1000 * seconds)
        expect(demo).to_be_visible()
        expect(demo).to_contain_text(words)
        expect(page.locator(done[0])).to_contain_text(done[1])
        width = page.viewport_size["width"]
        box = demo.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    page.clock.run_for(2500)
    is_untouched(page, explored)
    page.reload()
    page.clock.run_for(2000)
    is_untouched(page, explored)


@pytest.mark.parametrize(
    "touch",
    [
        lambda page: page.keyboard.press("Tab"),
        lambda page: page.mouse.click(3, 3),
        lambda page: page.mouse.wheel(0, 10),
    ],
    ids=["key", "pointer", "wheel"],
)
def test_any_touch_ends_it(touch, page, explored):
    page.clock.run_for(1000)
    expect(page.locator("#demo")).to_be_visible()
    touch(page)
    expect(page.locator("#demo")).to_be_hidden()
    page.clock.run_for(20_000)
    is_untouched(page, explored)


def test_a_drag_that_ends_it_is_a_drag(page):
    page.clock.run_for(1000)
    box = page.locator("#image").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#demo")).to_be_hidden()
    expect(page.locator("#place")).to_have_text("7 \u00d7 7 at 13, 13")


def test_a_wide_networks_page_shows_it_too(explored, visit):
    page = visit(explored.wide, "", before=held)
    page.clock.run_for(2000)
    expect(page.locator("#place")).to_contain_text("7 \u00d7 7 at")
    expect(page.locator("#sentence")).to_contain_text("gray window")
    page.clock.run_for(10_000)
    expect(page.locator("#demo")).to_be_hidden()


def test_who_wants_less_motion_gets_none(explored, visit):
    page = visit(explored.live, "", before=held, reduced_motion="reduce")
    answered(page)
    page.clock.run_for(3000)
    is_untouched(page, explored)
    bar = page.locator("#bars .bar").first
    assert bar.evaluate("each => getComputedStyle(each).transitionDuration") == "0s"


def test_a_link_is_shown_as_it_is(explored, visit):
    page = visit(explored.live, "#image=0&window=9@1,1", before=held)
    page.clock.run_for(3000)
    expect(page.locator("#demo")).to_be_hidden()
    expect(page.locator("#place")).to_have_text("9 \u00d7 9 at 1, 1")
