"""A gray window, moved over the image in every way there is."""

import pytest
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN
from tests.report.explorer.browser.doing import answered, bars, boxes, close, held, torchs

SIDE = 32


@pytest.fixture(params=[PHONE, SCREEN], ids=["phone", "screen"])
def page(explored, visit, request):
    return answered(visit(explored.live, "#image=0", request.param, has_touch=True))


def at(page, row, column):
    """Where a pixel of the image is on the screen."""
    box = page.locator("#image").bounding_box()
    pixel = box["width"] / SIDE
    return {"x": box["x"] + (column + 0.5) * pixel, "y": box["y"] + (row + 0.5) * pixel}


def place(page, text):
    expect(page.locator("#place")).to_have_text(text.replace("x", "\u00d7"))


def test_the_mouse_drags_it_and_the_bars_and_the_address_follow(page, explored):
    before = boxes(page)
    page.mouse.move(**at(page, 10, 10))
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(**at(page, 10 + step, 10 + step // 2))
    page.mouse.up()
    place(page, "7 x 7 at 17, 12")
    close(bars(page)[1], torchs(explored, 0, (7, 17, 12)))
    expect(page.locator("#sentence")).to_contain_text("gray window at row 17, column 12")
    expect(page).to_have_url(explored.live.as_uri() + "#image=0&window=7@17,12")
    # a pointer that is up moves nothing
    page.mouse.move(**at(page, 3, 3))
    place(page, "7 x 7 at 17, 12")
    assert boxes(page) == before


def test_a_finger_drags_it_and_does_not_scroll(page, explored):
    session = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [at(page, 5, 5)]),
        ("touchMove", [at(page, 12, 9)]),
        ("touchMove", [at(page, 20, 20)]),
        ("touchEnd", []),
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    place(page, "7 x 7 at 17, 17")
    close(bars(page)[1], torchs(explored, 0, (7, 17, 17)))
    assert page.evaluate("scrollY") == 0


def test_it_stays_inside_the_image(page):
    page.mouse.move(**at(page, 10, 10))
    page.mouse.down()
    page.mouse.move(1, 1)
    place(page, "7 x 7 at 0, 0")
    page.mouse.up()


def test_keys_move_it_resize_it_and_take_it_away(page, explored):
    page.locator("#image").focus()
    for keys, text in (
        (["ArrowDown"], "7 x 7 at 12, 12"),
        (["ArrowDown", "ArrowRight"], "7 x 7 at 13, 13"),
        (["Shift+ArrowLeft", "ArrowUp"], "7 x 7 at 12, 9"),
        (["+", "+"], "9 x 9 at 11, 8"),
        (["-"], "8 x 8 at 11, 8"),
        (["="] * 40, "32 x 32 at 0, 0"),
        (["-"] * 25, "7 x 7 at 13, 13"),
    ):
        for key in keys:
            page.keyboard.press(key)
        place(page, text)
    close(bars(page)[1], torchs(explored, 0, (7, 13, 13)))
    page.keyboard.press("Escape")
    place(page, "none")
    close(bars(page)[1], torchs(explored, 0))
    expect(page.locator("#uncover")).to_be_disabled()


def test_the_slider_sizes_it_and_a_button_takes_it_away(page):
    page.locator("#size").focus()
    page.keyboard.press("End")
    place(page, "32 x 32 at 0, 0")
    expect(page.locator("#size")).to_have_attribute("aria-valuetext", "32 \u00d7 32 at 0, 0")
    page.locator("#uncover").click()
    place(page, "none")
    assert page.locator("#size").input_value() == "0"


def test_of_a_wide_network_it_has_only_the_sizes_that_were_computed(explored, visit):
    page = visit(explored.wide, "#image=0")
    page.locator("#image").focus()
    for key, text in (
        ("-", "none"),
        ("+", "7 x 7 at 12, 12"),
        ("+", "20 x 20 at 5, 5"),
        ("+", "20 x 20 at 5, 5"),
        ("-", "7 x 7 at 12, 12"),
        ("-", "none"),
    ):
        page.keyboard.press(key)
        place(page, text)
    page.locator("#size").focus()
    for key, text in (
        ("End", "20 x 20 at 6, 6"),
        ("ArrowLeft", "7 x 7 at 13, 13"),
        ("Home", "none"),
    ):
        page.keyboard.press(key)
        place(page, text)


def test_a_long_drag_changes_the_address_no_more_often_than_browsers_allow(explored, visit):
    page = answered(visit(explored.live, "#image=0", before=held))
    written = page.evaluate_handle("[]")
    page.evaluate(
        """(written) => {
          const replace = history.replaceState.bind(history);
          history.replaceState = (...state) => { written.push(state); replace(...state); };
          const image = document.querySelector("#image");
          for (let at = 0; at < 300; at += 1) {
            const key = at % 40 < 20 ? "ArrowRight" : "ArrowLeft";
            image.dispatchEvent(new KeyboardEvent("keydown", { key }));
          }
        }""",
        written,
    )
    assert len(written.json_value()) == 1
    page.clock.run_for(1000)
    assert len(written.json_value()) == 2
    assert page.url.endswith("#image=0&window=7@12,25")
