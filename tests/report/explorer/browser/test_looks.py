"""What everybody can see and reach: sizes, colors, names, and the keyboard alone."""

import pytest
from playwright.sync_api import expect
from tests.browser import PHONE, SCREEN
from tests.report.explorer.browser.doing import answered

FULL = "#image=0&off=conv1.0,conv1.1&window=7@3,3&look=conv3.2@1,1&map=20"
LEAST = 4.5
# each text that can be seen, with its contrast against what is behind it
CONTRASTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue].map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if ((color[3] ?? 1) === 1) return color;
    }
    throw new Error("no background");
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (!text || !element.checkVisibility()) continue;
    if (element.closest("script, option, :disabled")) continue;
    const [one, two] = [channels(getComputedStyle(element).color), behind(element)].map(light);
    found.push([text.slice(0, 40), (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)]);
  }
  return found;
}"""
FOCUSED = """() => {
  const focused = document.activeElement;
  const shown = focused.closest(".button") ?? focused;
  const ring = getComputedStyle(shown);
  const { top, bottom, left, right } = shown.getBoundingClientRect();
  return {
    name: focused === document.body ? "" : focused.id || focused.ariaLabel || focused.textContent,
    ring: ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2,
    inside: bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
  };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, SCREEN], ids=["phone", "screen"])
@pytest.mark.parametrize("kind", ["live", "wide"])
def test_every_text_stands_out(kind, size, scheme, explored, visit):
    page = answered(visit(getattr(explored, kind), FULL, size, color_scheme=scheme))
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")
    found = page.evaluate(CONTRASTS)
    assert len(found) > 40
    assert [each for each in found if each[1] < LEAST] == []


@pytest.mark.parametrize("kind", ["live", "wide"])
@pytest.mark.parametrize("state", ["#image=0", FULL])
def test_nothing_scrolls_sideways_on_a_phone(state, kind, explored, visit):
    page = answered(visit(getattr(explored, kind), state, PHONE))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_first_view_has_the_image_the_bars_and_feature_maps(explored, visit):
    page = answered(visit(explored.live, "#image=0", SCREEN))
    for part in ("#image", "#bars", "#images", ".layer >> nth=0", ".layer >> nth=1"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= SCREEN[1], part
    column = page.locator("#stage")
    assert column.evaluate("each => each.scrollHeight <= each.clientHeight + 1")


@pytest.mark.parametrize("size", [PHONE, SCREEN], ids=["phone", "screen"])
def test_bars_keep_their_places_and_texts_are_not_cut_off(size, explored, visit):
    page = answered(visit(explored.live, FULL, size))
    cut = page.evaluate(
        """() => [...document.querySelectorAll("#bars span, #sentence, #cost, #filter p, #place")]
          .filter(({ scrollWidth, clientWidth }) => clientWidth && scrollWidth > clientWidth)
          .map((each) => each.className || each.id)"""
    )
    assert cut == []


def test_all_that_can_be_used_has_a_name(explored, visit):
    page = answered(visit(explored.live, FULL))
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    used = {
        *("application", "button", "checkbox", "combobox", "link", "listbox", "option"),
        *("progressbar", "region", "slider", "spinbutton"),
    }
    nodes = [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in tree
        if not node["ignored"] and node.get("role", {}).get("value", "").lower() in used
    ]
    assert {role for role, _ in nodes} >= {"application", "button", "combobox", "slider"}
    assert [node for node in nodes if not node[1]] == []


@pytest.mark.parametrize("size", [PHONE, SCREEN], ids=["phone", "screen"])
def test_the_keyboard_reaches_everything_in_order_and_is_seen_there(size, explored, visit):
    page = answered(
        visit(explored.live, "#image=0&off=conv1.0&window=7@3,3&look=conv1.0@1,1", size)
    )
    found = []
    while True:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if found and focused["name"] in (found[0]["name"], ""):
            break
        found.append(focused)
        assert len(found) < 60
    assert [each["name"] for each in found if not each["ring"] or not each["inside"]] == []
    names = [each["name"].removesuffix(", off") for each in found]
    assert names[:11] == [
        *("reset", "share", "The report", "image", "size", "uncover", "class", "why", "file"),
        *(names[9], "study"),
    ]
    assert names[9].startswith("Test image 0: ")
    layers = [f"conv{at}/0" for at in range(1, 7)]
    assert names[11:21] == ["on", *layers, "Switch on", "Close", "map"]
    assert names[-3:] == ["map-size", "compute", "overlay"]


def test_the_keyboard_alone_does_everything(explored, visit):
    page = answered(visit(explored.live, "#image=0"))

    def press(target, *keys):
        page.locator(target).first.focus()
        for key in keys:
            page.keyboard.press(key)

    press("#image", "ArrowDown")
    expect(page.locator("#place")).to_contain_text("at 12, 12")
    press("#study", "Space")
    expect(page.locator("#cost")).to_contain_text("These filters off together cost")
    press(".layer:nth-child(2) .tiles button", "ArrowRight", "Enter")
    expect(page.locator("#filter h3")).to_have_text("conv2/1")
    press("#map-size", "Control+a", *"30")
    press("#compute", "Enter")
    expect(page.locator("#maps")).to_contain_text("Computed here")
    press("#overlay", "Space")
    expect(page.locator("#overlay")).to_be_checked()
    press("#why", "End")
    expect(page.locator("#why")).not_to_have_value("all")
    press("#reset", "Enter")
    expect(page.locator("#place")).to_have_text("none")
    expect(page.locator("#maps")).to_be_empty()
