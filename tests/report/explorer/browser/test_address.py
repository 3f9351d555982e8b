"""Every state has an address, which others can open."""

import re

import pytest
from playwright.sync_api import expect
from tests.report.explorer.browser.doing import answered, bars, close, torchs

STATE = "#image=5&off=conv1.3,conv4.2&window=9@4,11&look=conv3.6@2,7&map=20"
OFF = {"conv1": [3], "conv4": [2]}


def is_in_state(page, explored):
    close(bars(page)[1], torchs(explored, 5, (9, 4, 11), OFF))
    expect(page.locator("#caption")).to_contain_text("Test image 5: ")
    expect(page.locator("#place")).to_have_text("9 \u00d7 9 at 4, 11")
    expect(page.locator("#filter h3")).to_have_text("conv3/6")
    expect(page.locator("#filter")).to_contain_text("The unit at row 2, column 7")
    expect(page.locator("#map-size")).to_have_value("20")
    expect(page.locator("#maps")).to_contain_text("Computed here")


def test_a_link_opens_in_its_state_and_a_reload_keeps_it(explored, visit):
    page = visit(explored.live, STATE)
    is_in_state(page, explored)
    page.reload()
    is_in_state(page, explored)
    page.locator("#image").focus()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("#((?!window).)*$"))
    page.reload()
    close(bars(page)[1], torchs(explored, 5, off=OFF))


def test_an_address_that_is_typed_is_followed_and_the_back_button_returns(explored, visit):
    page = visit(explored.live, "#image=0")
    page.goto(explored.live.as_uri() + STATE)
    is_in_state(page, explored)
    page.go_back()
    expect(page.locator("#place")).to_have_text("none")
    close(bars(page)[1], torchs(explored, 0))
    expect(page.locator("#filter")).to_be_hidden()


@pytest.mark.parametrize(
    "address",
    [
        "#image=99999&off=conv9.1,conv1.99,x&window=7@@&look=conv1&map=0",
        "#image=&off=&window=-3@1,1&look=conv1.0@99,0&map=1e9",
        "#image=__proto__&off=constructor.0&window=99@-99,99&look=conv1.-1@0,0&map=NaN",
        "#%E0%A4%A&&&==&image=1&image=2",
        "#<script>alert(1)</script>",
    ],
)
def test_an_address_that_means_nothing_is_harmless(address, explored, visit):
    page = visit(explored.live, address)
    shares, _ = bars(page)
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)
    page.locator("#reset").click()
    expect(page.locator("#place")).to_have_text("none")
    expect(page).to_have_url(re.compile("#image=[0-9]+$"))


def test_a_link_can_be_copied(explored, visit):
    page = answered(visit(explored.live, STATE))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#share").click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == explored.live.as_uri() + STATE
