"""The page's network against torch, and what it says of itself."""

import pytest
import torch
from playwright.sync_api import expect
from tests.report.explorer.browser.conftest import FILTERS, WINDOWS
from tests.report.explorer.browser.doing import address, bars, close, driven, shown_images, torchs

from convscope.base import files

COUNT = 50
SOME = {"conv2": [3], "conv6": [0, 7]}


@pytest.mark.parametrize("kind", ["intact", "windows", "filters off", "both"])
def test_logits_are_torchs(kind, explored, visit):
    page = visit(explored.live, "#image=0")
    images = shown_images(page)[:COUNT]
    assert len(images) == COUNT
    asked = []
    for at, image in enumerate(images):
        size = 1 + at % 31
        room = 33 - size
        window = (size, 5 * at % room, 3 * at % room) if kind in ("windows", "both") else None
        off = {} if kind in ("intact", "windows") else (FILTERS, SOME, {"conv4": [at % 16]})[at % 3]
        asked.append((image, window, off))
    states = [address(*question) for question in asked]
    for (shares, logits), question in zip(driven(page, states), asked, strict=True):
        expected = torchs(explored, *question)
        close(logits, expected)
        close(shares, expected.softmax(0))


def test_the_page_has_checked_all_of_its_images(explored, visit):
    check = visit(explored.live, "#image=0").locator("#check")
    expect(check).to_contain_text(
        "Checked here: the logits of 56 images are torch\u2019s to within "
    )
    assert float(check.text_content().rsplit(" ", 1)[1].rstrip(".")) < 1e-3


def test_a_wide_network_answers_what_was_computed_before(explored, visit):
    page = visit(explored.wide, "#image=0")
    images = shown_images(page)
    mapped = files.read_csv(explored.reports / "occlusion/by_image.csv", "")["image"].tolist()
    asked = [(image, None, {}) for image in images[1:4]]
    asked += [(image, None, FILTERS) for image in images[:3]]
    asked += [(images[4], None, {"conv1": [1]})]
    asked += [(mapped[1], (size, 3, 32 - size), {}) for size in WINDOWS]
    states = [address(*question) for question in asked]
    for (shares, _), question in zip(driven(page, states), asked, strict=True):
        close(shares, torchs(explored, *question).softmax(0))


@pytest.mark.parametrize(
    "state", ["&off=conv1.0,conv2.0", "&window=8@0,0", "&off=conv1.0&window=7@0,0"]
)
def test_a_wide_network_says_what_it_has_not_computed(state, explored, visit):
    first = files.read_csv(explored.reports / "occlusion/by_image.csv", "")["image"][0]
    page = visit(explored.wide, f"#image={first}{state}")
    expect(page.locator("#sentence")).to_contain_text("This was not computed before.")
    assert set(page.locator("#bars .share").all_text_contents()) == {"\u2013"}
    known = page.locator("#known")
    expect(known).to_contain_text(
        "net4 is too wide to run in a page. Computed before: windows of 7"
    )
    expect(known).to_contain_text("20 \u00d7 20 on the 3 images")
    expect(known).to_contain_text("conv1/0")
    page.locator("#reset").click()
    shares, _ = bars(page)
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)


def test_a_wide_networks_window_has_answers_at_each_of_its_sizes(explored, visit):
    first = files.read_csv(explored.reports / "occlusion/by_image.csv", "")["image"][0]
    page = visit(explored.wide, f"#image={first}")
    page.locator("#size").fill("1")
    expect(page.locator("#place")).to_have_text("7 \u00d7 7 at 12, 12")
    page.locator("#size").fill("2")
    expect(page.locator("#place")).to_contain_text("20 \u00d7 20")
    assert torch.isfinite(bars(page)[0]).all()
