"""Whole occlusion maps: computed by the page, beside the pipeline's, and over the image."""

import re

import pytest
import torch
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN
from tests.report.explorer.browser.conftest import FILTERS, WINDOWS
from tests.report.explorer.browser.doing import answered, boxes, close, torchs

from convscope.base import files

# what a pointer reads off a map, position by position, in percent
READ = """(canvas) => {
  const { left, top, width } = canvas.getBoundingClientRect();
  const across = canvas.width;
  return Array.from({ length: across * across }, (_, at) => {
    const place = (cell) => (cell + 0.5) * width / across;
    const [clientX, clientY] = [left + place(at % across), top + place(Math.floor(at / across))];
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY }));
    return parseFloat(canvas.title);
  });
}"""

# the share of a canvas that is not clear
INKED = """(canvas) => {
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  return copy.getImageData(0, 0, width, height).data
    .filter((value, at) => at % 4 === 3 && value > 0).length / (width * height);
}"""


def recorded(explored, size):
    """The pipeline's maps of a window's size by image, each a flat tensor."""
    table = files.read_csv(explored.reports / f"occlusion/map_{size}.csv", "")
    return {
        int(image): torch.tensor(rows.sort_values(["row", "column"])["confidence"].to_numpy())
        for image, rows in table.groupby("image")
    }


@pytest.fixture(params=[PHONE, SCREEN], ids=["phone", "screen"])
def size(request):
    return request.param


@pytest.mark.parametrize("window", WINDOWS)
def test_the_map_computed_here_is_the_pipelines(window, explored, visit):
    (image, expected), *_ = recorded(explored, window).items()
    page = visit(explored.live, f"#image={image}")
    page.locator("#map-size").fill(str(window))
    page.locator("#compute").click()
    expect(page.locator("#cancel")).to_have_text("Remove")
    expect(page.locator("#progress")).to_be_hidden()
    figures = page.locator("#maps figure")
    expect(figures).to_contain_text(["Computed here", "By the pipeline, all filters on"])
    for at in range(2):
        found = torch.tensor(figures.nth(at).locator("canvas").evaluate(READ)) / 100
        close(found.double(), expected)


def test_a_map_without_some_filters_is_torchs(explored, visit):
    page = visit(explored.live, "#image=0&off=study&map=28")
    expect(page.locator("#cancel")).to_have_text("Remove")
    found = page.locator("#maps canvas").first.evaluate(READ)
    expected = [
        torchs(explored, 0, (28, at // 5, at % 5), FILTERS).softmax(0)[explored.labels[0]]
        for at in range(25)
    ]
    close(torch.tensor(found) / 100, torch.stack(expected))


def test_a_map_lies_over_the_image_when_asked(size, explored, visit):
    page = answered(visit(explored.live, "#image=0", size))
    before = boxes(page)
    over = page.locator("#over")
    page.locator("#overlay").check()
    assert over.evaluate(INKED) == 0
    page.locator("#map-size").fill("21")
    page.locator("#compute").click()
    expect(page.locator("#cancel")).to_have_text("Remove")
    # positions of the window's center: 12 of 32 in a row
    assert over.evaluate(INKED) == pytest.approx((12 / 32) ** 2, abs=1e-3)
    assert boxes(page) == before
    page.locator("#cancel").click()
    assert over.evaluate(INKED) == 0
    expect(page.locator("#maps")).to_be_empty()


def test_stop_ends_it(explored, visit):
    page = answered(visit(explored.live, "#image=0"))
    page.locator("#map-size").fill("1")
    seen = page.evaluate(
        """() => {
          document.querySelector("#compute").click();
          const cancel = document.querySelector("#cancel");
          const seen = [cancel.textContent, document.querySelector("#progress").hidden];
          cancel.click();
          return seen;
        }"""
    )
    assert seen == ["Stop", False]
    # the network answers, so that what it had sent before has come
    page.locator("#study").click()
    answered(page)
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#maps")).to_be_empty()
    expect(page).to_have_url(re.compile("#((?!map).)*$"))


def test_another_image_gets_its_own_map(explored, visit):
    maps = recorded(explored, 20)
    page = visit(explored.live, f"#image={min(maps)}&map=20")
    page.goto(explored.live.as_uri() + f"#image={max(maps)}&map=20")
    answered(page)
    expect(page.locator("#cancel")).to_have_text("Remove")
    found = page.locator("#maps canvas").first.evaluate(READ)
    close(torch.tensor(found).double() / 100, maps[max(maps)])


@pytest.mark.parametrize("value", ["0", "33", "2.5", ""])
def test_a_size_that_no_window_has_computes_nothing(value, explored, visit):
    page = answered(visit(explored.live, "#image=0"))
    page.locator("#map-size").fill(value)
    page.locator("#compute").click()
    expect(page.locator("#maps")).to_be_empty()


def test_a_wide_networks_page_shows_the_pipelines_maps(size, explored, visit):
    (image, expected), *_ = recorded(explored, 7).items()
    page = visit(explored.wide, f"#image={image}", size)
    page.locator("#map-size").fill("8")
    page.locator("#overlay").check()
    page.get_by_role("button", name="Show the pipeline\u2019s").click()
    expect(page.locator("#map-size")).to_have_value("7")
    figure = page.locator("#maps figure")
    expect(figure).to_have_count(1)
    close(torch.tensor(figure.locator("canvas").evaluate(READ)).double() / 100, expected)
