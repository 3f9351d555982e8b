"""What a person does on the page, and what it answers."""

import re

import torch
from playwright.sync_api import expect

GRAY = 128 / 255
EXACT = re.compile(r"([\d.]+) %(?:, logit (-?[\d.]+))?")
# the page goes from one state to the next as by links, and waits for the network each time
DRIVE = """async (states) => {
  const bars = document.querySelector("#bars");
  const found = [];
  for (const state of states) {
    const heard = new Promise((done) => addEventListener("hashchange", done, { once: true }));
    location.hash = state;
    await heard;
    while (bars.ariaBusy !== "false") await new Promise((done) => setTimeout(done));
    found.push([...bars.querySelectorAll(".share")].map(({ title }) => title));
  }
  return found;
}"""


def held(page):
    """Stop the page's time, which goes on by ``run_for`` alone."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)


ANSWERED = """() => new Promise((done) => {
  const bars = document.querySelector("#bars");
  const look = () => { if (bars.ariaBusy === "false") done(); };
  new MutationObserver(look).observe(bars, { attributeFilter: ["aria-busy"] });
  AbortSignal.timeout(60_000).addEventListener("abort", () => done());
  look();
})"""


def answered(page):
    """Wait until the network has answered for what is shown, and return the page."""
    page.evaluate(ANSWERED)  # at once: what follows looks every half second
    expect(page.locator("#bars")).to_have_attribute("aria-busy", "false")
    return page


def said(titles):
    """Probabilities and logits of the bars' titles; the logits are None where there are none."""
    shares, logits = zip(*(EXACT.fullmatch(title).groups() for title in titles), strict=True)
    known = None if None in logits else torch.tensor([float(each) for each in logits])
    return torch.tensor([float(each) for each in shares]) / 100, known


def bars(page):
    """The probabilities and logits that the page shows."""
    shares = answered(page).locator("#bars .share")
    return said(shares.evaluate_all("all => all.map(({ title }) => title)"))


def driven(page, states):
    """The same of each of these states, which differ from one another."""
    return [said(titles) for titles in page.evaluate(DRIVE, states)]


def address(image, window=None, off=None):
    """The address of a state: an image, a window (size, row, column), and filters by layer."""
    names = [f"{layer}.{each}" for layer, indices in (off or {}).items() for each in indices]
    place = "&window={}@{},{}".format(*window) if window else ""
    return f"#image={image}&off={','.join(names)}{place}"


def torchs(explored, image, window=None, off=None):
    """The logits that torch computes of an image with a window and without some filters."""
    pixels = explored.images[image].float() / 255
    if window:
        size, row, column = window
        pixels[:, row : row + size, column : column + size] = GRAY
    kept = {name: value.clone() for name, value in explored.module.state_dict().items()}
    with torch.no_grad():
        for layer, filters in (off or {}).items():
            explored.module.get_submodule(layer).weight[filters] = 0
        found = explored.module(pixels[None])[0]
    explored.module.load_state_dict(kept)
    return found


def close(found, expected):
    """Whether logits, or probabilities, are as exact as the page promises."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


def boxes(page):
    """Where the main blocks of the page are; between them lie those that change their text."""
    page.evaluate("scrollTo(0, 0)")
    return page.locator("#picture, #bars, h2, .layer").evaluate_all(
        """all => all.map((each) => {
          const { left, top, width, height } = each.getBoundingClientRect();
          return [each.id || each.textContent, left, top + scrollY, width, height].join(" ");
        })"""
    )


def shown_images(page):
    """The numbers of the test images to choose from."""
    names = page.locator("#images button").evaluate_all("all => all.map(({ title }) => title)")
    return [int(name.split()[2].rstrip(":")) for name in names]
