"""Pages in the browser chromium, without a network."""

import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --virtual-time-budget=4000 "
    "--enable-logging=stderr --dump-dom"
)
needed = pytest.mark.skipif(CHROMIUM is None, reason="needs the chromium browser")


def loaded(page: Path, profile: Path) -> str:
    """The document that a page has become once its scripts have run, without a word from them."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={profile}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout
