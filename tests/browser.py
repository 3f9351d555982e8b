"""Pages in Chromium, without a network; a word in a console fails the test."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

# the first is the second without its own windows: half the work, and the same pages
PROGRAMS = ("chromium-headless-shell", "chromium")
# nothing waits as long as this; a page that does not get there on a slow machine is broken
PATIENCE = 60_000
PHONE, SCREEN = (390, 844), (1300, 900)

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium():
    """The browser, which a process starts once."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"needs the browser {' or '.join(PROGRAMS)}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens a page's file, as one who was never there before."""
    visits, complaints = [], []

    def opened(path, fragment="", size=SCREEN, before=lambda _: None, **settings):
        viewport = dict(zip(("width", "height"), size, strict=True))
        visits.append(chromium.new_context(viewport=viewport, offline=True, **settings))
        page = visits[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        before(page)
        page.goto(path.as_uri() + fragment)
        return page

    yield opened
    for each in visits:
        each.close()
    assert complaints == [], complaints
