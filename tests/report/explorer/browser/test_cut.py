"""Filters, switched off and on in every way there is, and looked at."""

import pytest
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN
from tests.report.explorer.browser.conftest import FILTERS
from tests.report.explorer.browser.doing import answered, bars, boxes, close, torchs

from convscope.base import files


@pytest.fixture(params=[PHONE, SCREEN], ids=["phone", "screen"])
def page(explored, visit, request):
    return answered(visit(explored.live, "#image=0", request.param))


def tile(page, layer, index):
    return page.locator(f'.layer[data-name="{layer}"] .tiles button').nth(index)


def test_a_feature_map_is_clicked_and_its_filter_switched_off_and_on(page, explored):
    before = boxes(page)
    tile(page, "conv3", 5).click()
    panel = page.locator("#filter")
    expect(panel.locator("h3")).to_have_text("conv3/5")
    expect(panel).to_contain_text("its receptive field, dashed on the image")
    expect(tile(page, "conv3", 5)).to_have_attribute("aria-pressed", "true")
    panel.get_by_role("button", name="Switch off").click()
    close(bars(page)[1], torchs(explored, 0, off={"conv3": [5]}))
    expect(tile(page, "conv3", 5)).to_have_attribute("aria-label", "conv3/5, off")
    expect(page.locator("#cost")).to_contain_text("conv3/5 off costs")
    expect(page.locator("#sentence")).to_contain_text("With conv3/5 off, net4")
    assert boxes(page) == before
    panel.get_by_role("button", name="Switch on").click()
    close(bars(page)[1], torchs(explored, 0))
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    assert boxes(page) == before


def test_shift_switches_a_filter_without_looking_at_it(page, explored):
    tile(page, "conv1", 2).click(modifiers=["Shift"])
    close(bars(page)[1], torchs(explored, 0, off={"conv1": [2]}))
    expect(page.locator("#filter")).to_be_hidden()
    tile(page, "conv1", 2).focus()
    page.keyboard.press("Shift+Enter")
    close(bars(page)[1], torchs(explored, 0))


def test_what_a_filter_costs_is_what_the_pipeline_measured(page, explored):
    atlas = files.read_csv(explored.reports / "filter-ablation/atlas.csv", "")
    row = atlas[(atlas["layer"] == "conv2") & (atlas["filter"] == 1)].iloc[0]
    tile(page, "conv2", 1).click()
    drop = f"{row['drop_percent']:.1f}".replace("-", "\u2212")
    expect(page.locator("#filter")).to_contain_text(
        f"Off alone, it costs {drop} points of accuracy over 30 test images"
    )


def test_the_studys_filters_all_on_and_reset(page, explored):
    before = boxes(page)
    study, on = page.locator("#study"), page.locator("#on")
    expect(study).to_have_text("The 3 selected filters off")
    expect(on).to_be_disabled()
    study.click()
    close(bars(page)[1], torchs(explored, 0, off=FILTERS))
    expect(study).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#cost")).to_contain_text("These filters off together cost")
    assert boxes(page) == before
    on.click()
    expect(on).to_be_disabled()
    expect(page.locator("#cost")).to_have_text("All filters are on.")
    study.click()
    study.click()
    expect(study).to_have_attribute("aria-pressed", "false")
    study.click()
    page.locator("#image").focus()
    page.keyboard.press("ArrowUp")
    tile(page, "conv1", 2).click(modifiers=["Shift"])
    expect(page.locator("#cost")).to_contain_text("was not measured")
    page.locator("#reset").click()
    close(bars(page)[1], torchs(explored, 0))
    expect(page).to_have_url(explored.live.as_uri() + "#image=0")
    assert boxes(page) == before


def test_a_unit_is_chosen_by_mouse_and_by_keys(page):
    tile(page, "conv1", 0).click()
    unit = page.locator("#map")
    size = unit.bounding_box()["width"]
    unit.click(position={"x": size * 10.5 / 32, "y": size * 20.5 / 32})
    panel = page.locator("#filter")
    expect(panel).to_contain_text("The unit at row 20, column 10 sees 3 \u00d7 3 pixels")
    unit.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(panel).to_contain_text("The unit at row 19, column 11")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_the_images_that_a_filter_likes_can_be_shown(page, explored):
    tops = files.read_csv(explored.reports / "filter-identify/top_images.csv", "")
    best = tops[(tops["filter"] == "conv1/1") & (tops["rank"] == 1)]["image"].iloc[0]
    tile(page, "conv1", 1).click()
    page.locator("#filter .liked button").first.click()
    expect(page.locator("#caption")).to_contain_text(f"Test image {best}: ")
    close(bars(page)[1], torchs(explored, best))
