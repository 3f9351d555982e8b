"""The image: one of the page's, by class and by reason, or a person's own."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN
from tests.report.explorer.browser.conftest import CLASSES, FILTERS
from tests.report.explorer.browser.doing import answered, bars, boxes, close, shown_images, torchs

from convscope.base import files


@pytest.fixture(params=[PHONE, SCREEN], ids=["phone", "screen"])
def page(explored, visit, request):
    return answered(visit(explored.live, "#image=0", request.param))


def png(pixels):
    """A picture's bytes, of (height, width, 3) uint8."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "png")
    return {"name": "own.png", "mimeType": "image/png", "buffer": target.getvalue()}


def test_an_image_is_clicked_and_found_by_arrow_keys(page, explored):
    before = boxes(page)
    first, second, third, *_ = shown_images(page)
    buttons = page.locator("#images button")
    buttons.nth(1).click()
    close(bars(page)[1], torchs(explored, second))
    expect(buttons.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowRight")
    close(bars(page)[1], torchs(explored, third))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    close(bars(page)[1], torchs(explored, first))
    name = CLASSES[explored.labels[first]]
    expect(page.locator("#caption")).to_have_text(f"Test image {first}: {name}")
    assert boxes(page) == before


def test_images_are_listed_by_class_and_reason(page, explored):
    listed = files.read_csv(explored.reports / "explore/images.csv", "")
    mapped = listed[listed["why"].str.contains("has occlusion maps")]
    before = boxes(page)
    page.locator("#why").select_option("has occlusion maps")
    expect(page.locator("#shown")).to_have_text("3 of 56 images")
    options = page.get_by_role("option", name="Test image")
    expect(options).to_have_count(3)
    # the shown image may be another: the first of the list is then reached by the keyboard
    assert options.evaluate_all("all => all.filter(({ tabIndex }) => tabIndex === 0).length") == 1
    (other, *_) = set(CLASSES) - set(mapped["class"])
    page.locator("#class").select_option(other)
    expect(page.locator("#shown")).to_have_text("0 of 56 images")
    assert boxes(page) == before
    page.locator("#why").select_option("all")
    count = int((listed["class"] == other).sum())
    expect(page.locator("#shown")).to_have_text(f"{count} of 56 images")


def test_ones_own_picture_is_its_middle_square_at_the_networks_size(page, explored):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    page.locator("#class").select_option(CLASSES[0])
    page.locator("#study").click()
    page.locator("#file").set_input_files(png(pixels))
    expect(page.locator("#caption")).to_have_text("Own picture 1")
    expect(page.locator("#class")).to_have_value("all")
    middle = torch.from_numpy(pixels[:, 8:40].copy()).permute(2, 0, 1)
    explored_own = type(explored)(**{**vars(explored), "images": middle[None]})
    close(bars(page)[1], torchs(explored_own, 0, off=FILTERS))
    untouched = torchs(explored_own, 0).softmax(0)
    place = page.locator("#bars .before").evaluate_all(
        "all => all.map(({ style }) => parseFloat(style.left))"
    )
    close(torch.tensor(place) / 100, untouched)
    expect(page.locator("#sentence")).to_contain_text("Untouched, it")
    page.locator("#map-size").fill("30")
    page.locator("#compute").click()
    expect(page.locator("#cancel")).to_have_text("Remove")
    page.locator("#file").set_input_files(png(pixels[::-1].copy()))
    expect(page.locator("#caption")).to_have_text("Own picture 2")
    answered(page)


def test_a_large_picture_is_made_small_by_all_of_its_pixels(page):
    pixels = np.kron(np.indices((100, 100)).sum(0) % 2 * 255, np.ones((3, 3)))
    gray = np.repeat(pixels.astype(np.uint8)[..., None], 3, axis=2)
    page.locator("#file").set_input_files(png(gray))
    expect(page.locator("#caption")).to_have_text("Own picture 1")
    answered(page)
    drawn = page.locator("#image").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 32, 32).data]"
    )
    levels = torch.tensor(drawn).view(32, 32, 4)[..., :3].float()
    assert levels.mean().item() == pytest.approx(127.5, abs=3)


def test_a_file_that_is_no_picture_changes_nothing_and_is_named(page, explored):
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.locator("#file").set_input_files(notes)
    expect(page.locator("#shown")).to_have_text(
        "notes.txt is not a picture that this browser can read."
    )
    expect(page.locator("#caption")).to_contain_text("Test image 0: ")
    close(bars(page)[1], torchs(explored, 0))
